//! Parameters as the kernels read them: weights of linears in panels, the others row by row; each held once.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::CpuError;
use super::buffer::Buffer;
use super::kernels::pack;
use super::kernels::tile::panel_floats;
use super::views;
use crate::plan::BackbonePlan;
use crate::program::{Op, Origin, Program, ValueId};
use crate::weights::Weights;

/// One parameter; both forms only if both are read.
#[derive(Clone, Default)]
pub(super) struct Param {
    /// In the checkpoint's order.
    pub raw: Option<Arc<Buffer>>,
    /// As [`pack::weight`] makes it.
    pub panels: Option<Arc<Buffer>>,
}

/// What is known of a backbone's values before it runs. Parameters, by value; values that are no parameters have an empty one.
pub(super) struct Params {
    /// Of the prelude.
    pub prelude: Vec<Param>,
    /// Of the body.
    pub body: Vec<Param>,
    /// Of the body: see [`Views`](views::Views).
    pub views: Vec<Option<usize>>,
}

/// What is needed of one tensor of the checkpoint.
#[derive(Default)]
struct Need {
    shape: Vec<usize>,
    raw: bool,
    panels: Option<[usize; 2]>,
}

impl Need {
    /// Bytes of the tensor as it was loaded.
    fn loaded(&self) -> u64 {
        (self.shape.iter().product::<usize>() * size_of::<f32>()) as u64
    }

    /// Bytes of the forms in which it is kept.
    fn bytes(&self) -> u64 {
        let raw = if self.raw { Buffer::bytes(self.shape.iter().product()) } else { 0 };
        raw + self.panels.map_or(0, |[n, k]| Buffer::bytes(panel_floats(n, k)))
    }
}

fn needs(plan: &BackbonePlan) -> BTreeMap<&str, Need> {
    let mut needs = BTreeMap::new();
    for program in [&plan.net.prelude, &plan.net.body] {
        for op in &program.ops {
            let weight = if let Op::Linear(linear) = op { Some(linear.weight) } else { None };
            for id in op.inputs().iter().map(|input| input.value()) {
                need(&mut needs, program, id, weight == Some(id));
            }
        }
        program.outputs.iter().for_each(|&id| need(&mut needs, program, id, false));
    }
    needs
}

fn need<'a>(needs: &mut BTreeMap<&'a str, Need>, program: &'a Program, id: ValueId, is_weight: bool) {
    let Origin::Param { key, shape } = &program.value(id).origin else { return };
    let need = needs.entry(key.as_str()).or_default();
    need.shape.clone_from(shape);
    match program.value(id).shape[..] {
        [n, k] if is_weight => need.panels = Some([n, k]),
        _ => need.raw = true,
    }
}

/// Bytes that the parameters of a backbone hold.
pub(super) fn bytes(plan: &BackbonePlan) -> u64 {
    needs(plan).values().map(Need::bytes).sum()
}

/// The most bytes that [`load`] of one backbone after the other holds, tensors that wait for their turn included.
pub(super) fn loading(plans: &[BackbonePlan]) -> u64 {
    let needs: Vec<_> = plans.iter().flat_map(|plan| needs(plan).into_values()).collect();
    let mut held: u64 = needs.iter().map(Need::loaded).sum();
    let mut most = held;
    for need in needs {
        held += need.bytes();
        most = most.max(held);
        held -= need.loaded();
    }
    most
}

/// Takes what the backbone needs out of its weights; each tensor is freed as soon as it is packed.
pub(super) fn load(plan: &BackbonePlan, mut weights: Weights) -> Result<Params, CpuError> {
    let mut loaded = BTreeMap::new();
    for (key, need) in needs(plan) {
        let backbone = &plan.net.body.name;
        let Some(tensor) = weights.tensors.remove(key) else {
            return Err(CpuError::Missing { backbone: backbone.clone(), key: key.into(), wanted: need.shape });
        };
        if tensor.shape != need.shape || tensor.data.len() != need.shape.iter().product::<usize>() {
            return Err(CpuError::Shape { backbone: backbone.clone(), key: key.into(), found: tensor.shape, wanted: need.shape });
        }
        let raw = need.raw.then(|| Arc::new(Buffer::of(&tensor.data)));
        let panels = need.panels.map(|[n, k]| Arc::new(pack::weight(&tensor.data, n, k)));
        loaded.insert(key, Param { raw, panels });
    }
    let of = |program: &Program| {
        let param = |value: &crate::program::Value| match &value.origin {
            Origin::Param { key, .. } => loaded.get(key.as_str()).cloned().unwrap_or_default(),
            _ => Param::default(),
        };
        program.values.iter().map(param).collect()
    };
    Ok(Params { prelude: of(&plan.net.prelude), body: of(&plan.net.body), views: views::of(&plan.net.body) })
}
