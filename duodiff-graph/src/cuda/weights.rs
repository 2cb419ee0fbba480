//! Weights on the GPU: every parameter in the types that kernels read, all in one piece of memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use half::bf16;
use half::slice::HalfFloatSliceExt;

use super::context::Context;
use super::memory::{Buffer, LINE};
use super::places::Params;
use super::{CudaError, folded};
use crate::executor::Fault;
use crate::launch::{DevicePlan, Element, Region};
use crate::plan::{BackbonePlan, Plan};
use crate::weights::{Tensor, Weights};

/// Where every parameter goes: offsets in one piece of memory.
pub(super) struct Layout {
    /// By backbone.
    offsets: Vec<Params>,
    /// Bytes of the whole.
    pub bytes: u64,
}

impl Layout {
    /// Lays out the parameters that a plan's launches read.
    pub fn new(plan: &Plan, device: &DevicePlan) -> Result<Self, CudaError> {
        let (mut offsets, mut bytes) = (Vec::new(), 0);
        for (index, backbone) in plan.backbones.iter().enumerate() {
            let shapes = shapes(backbone);
            let mut own = Params::new();
            for region in device.params(index)? {
                let size = size(&region, &shapes) as u64;
                own.insert(region, bytes);
                bytes += size.next_multiple_of(LINE);
            }
            offsets.push(own);
        }
        Ok(Self { offsets, bytes })
    }

    /// Uploads the weights, one set per backbone. Each set of the host is freed as soon as it is on its way.
    pub fn upload(self, context: &Arc<Context>, plan: &Plan, weights: Vec<Weights>) -> Result<(Buffer, Vec<Params>), CudaError> {
        let buffer = Buffer::new(context, self.bytes as usize)?;
        for ((backbone, own), weights) in plan.backbones.iter().zip(&self.offsets).zip(weights) {
            let shapes = shapes(backbone);
            for (region, offset) in own {
                for key in keys(region) {
                    let wanted = shapes.get(key.as_str()).copied().unwrap_or_default();
                    check(weights.tensors.get(key), wanted).map_err(|why| {
                        let backbone = backbone.net.body.name.clone();
                        CudaError::Weights { backbone, key: key.clone(), why }
                    })?;
                }
                write(&buffer, *offset as usize, region, &weights.tensors)?;
            }
        }
        let absolute = |own: Params| own.into_iter().map(|(param, offset)| (param, buffer.address + offset)).collect();
        let params = self.offsets.into_iter().map(absolute).collect();
        Ok((buffer, params))
    }
}

/// The shapes of a backbone's parameters in the checkpoint, by key.
fn shapes(backbone: &BackbonePlan) -> BTreeMap<&str, &[usize]> {
    let nets = backbone.net.prelude.params().chain(backbone.net.body.params());
    nets.map(|(_, key, shape)| (key, shape)).collect()
}

/// Bytes of a parameter.
fn size(region: &Region, shapes: &BTreeMap<&str, &[usize]>) -> usize {
    let shape = |key: &String| shapes.get(key.as_str()).copied().unwrap_or(&[0]);
    match region {
        Region::Param { key, element } => shape(key).iter().product::<usize>() * element.bytes(),
        Region::Folded(folded) => folded::elements(folded.part, shape(&folded.weight)) * folded.part.element().bytes(),
        _ => 0,
    }
}

/// The checkpoint's tensors that a parameter is made of.
fn keys(region: &Region) -> Vec<&String> {
    match region {
        Region::Param { key, .. } => vec![key],
        Region::Folded(folded) => folded::keys(folded).collect(),
        _ => vec![],
    }
}

/// Uploads one parameter, whose tensors are there.
fn write(buffer: &Buffer, at: usize, region: &Region, tensors: &BTreeMap<String, Tensor>) -> Result<(), Fault> {
    match region {
        Region::Param { key, element: Element::F32 } => buffer.write(at, &tensors[key].data),
        Region::Param { key, element: Element::Bf16 } => buffer.write(at, &rounded(&tensors[key].data)),
        Region::Folded(folded) => match folded.part.element() {
            Element::Bf16 => buffer.write(at, &folded::weight(folded, tensors)),
            Element::F32 => buffer.write(at, &folded::column(folded, tensors)),
        },
        _ => Ok(()),
    }
}

/// Refuses a tensor that is not there, or not of the wanted shape.
fn check(tensor: Option<&Tensor>, wanted: &[usize]) -> Result<(), String> {
    match tensor {
        None => Err(format!("is missing from the weights, wanted {wanted:?}")),
        Some(tensor) if tensor.shape != wanted || tensor.data.len() != wanted.iter().product::<usize>() => {
            Err(format!("is {:?}, wanted {wanted:?}", tensor.shape))
        }
        Some(_) => Ok(()),
    }
}

/// The bits of the nearest bfloat16s.
pub(super) fn rounded(values: &[f32]) -> Vec<u16> {
    let mut nearest = vec![bf16::ZERO; values.len()];
    nearest.convert_from_f32_slice(values);
    nearest.into_iter().map(bf16::to_bits).collect()
}
