//! Weights on the GPU: every parameter in the types that kernels read, all in one piece of memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use half::bf16;
use half::slice::HalfFloatSliceExt;

use super::CudaError;
use super::context::Context;
use super::memory::{Buffer, LINE};
use super::places::Params;
use crate::launch::{DevicePlan, Element};
use crate::plan::Plan;
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
            let nets = backbone.net.prelude.params().chain(backbone.net.body.params());
            let elements: BTreeMap<&str, u64> = nets.map(|(_, key, shape)| (key, shape.iter().product::<usize>() as u64)).collect();
            let mut own = Params::new();
            for (key, element) in device.params(index)? {
                let size = elements.get(key.as_str()).copied().unwrap_or_default() * element.bytes() as u64;
                own.insert((key, element), bytes);
                bytes += size.next_multiple_of(LINE);
            }
            offsets.push(own);
        }
        Ok(Self { offsets, bytes })
    }

    /// Uploads the weights, one set per backbone. Each tensor of the host is freed as soon as it is on its way.
    pub fn upload(self, context: &Arc<Context>, plan: &Plan, weights: Vec<Weights>) -> Result<(Buffer, Vec<Params>), CudaError> {
        let buffer = Buffer::new(context, self.bytes as usize)?;
        for ((backbone, own), weights) in plan.backbones.iter().zip(&self.offsets).zip(weights) {
            let nets = backbone.net.prelude.params().chain(backbone.net.body.params());
            let shapes: BTreeMap<&str, &[usize]> = nets.map(|(_, key, shape)| (key, shape)).collect();
            for ((key, element), offset) in own {
                let (wanted, tensor) = (shapes.get(key.as_str()).copied().unwrap_or_default(), weights.tensors.get(key));
                let tensor = check(tensor, wanted).map_err(|why| {
                    let backbone = backbone.net.body.name.clone();
                    CudaError::Weights { backbone, key: key.clone(), why }
                })?;
                match element {
                    Element::F32 => buffer.write(*offset as usize, &tensor.data)?,
                    Element::Bf16 => buffer.write(*offset as usize, &rounded(&tensor.data))?,
                }
            }
        }
        let absolute = |own: Params| own.into_iter().map(|(param, offset)| (param, buffer.address + offset)).collect();
        let params = self.offsets.into_iter().map(absolute).collect();
        Ok((buffer, params))
    }
}

/// A tensor, if it is there and of the wanted shape.
fn check<'a>(tensor: Option<&'a Tensor>, wanted: &[usize]) -> Result<&'a Tensor, String> {
    match tensor {
        None => Err(format!("is missing from the weights, wanted {wanted:?}")),
        Some(tensor) if tensor.shape != wanted || tensor.data.len() != wanted.iter().product::<usize>() => {
            Err(format!("is {:?}, wanted {wanted:?}", tensor.shape))
        }
        Some(tensor) => Ok(tensor),
    }
}

/// The bits of the nearest bfloat16s.
pub(super) fn rounded(values: &[f32]) -> Vec<u16> {
    let mut nearest = vec![bf16::ZERO; values.len()];
    nearest.convert_from_f32_slice(values);
    nearest.into_iter().map(bf16::to_bits).collect()
}
