//! From images, times, labels, step tables and weights to the tensors that a program starts with.

use crate::program::{Origin, Program, Value, sinusoid};
use crate::weights::Weights;

use super::scope::Tensor;
use super::{Inputs, InterpretError};

/// By value: its tensor, for everything that no operator writes.
pub(super) fn load(
    program: &Program,
    inputs: &Inputs,
    tables: &[Vec<f64>],
    weights: &Weights,
) -> Result<Vec<Option<Tensor>>, InterpretError> {
    program.values.iter().map(|value| load_one(value, inputs, tables, weights)).collect()
}

fn load_one(value: &Value, inputs: &Inputs, tables: &[Vec<f64>], weights: &Weights) -> Result<Option<Tensor>, InterpretError> {
    let batch = inputs.times.len();
    let elements = value.elements();
    let (what, data): (String, Vec<f64>) = match &value.origin {
        Origin::Image => ("images".into(), widen(inputs.images)),
        Origin::Sinusoid => ("sinusoid".into(), widen(&sinusoids(inputs.times, elements))),
        Origin::Label => {
            let labels = inputs.labels.ok_or(InterpretError::NoLabels)?;
            ("labels".into(), labels.iter().map(|label| f64::from(*label)).collect())
        }
        Origin::StepTable(index) => (format!("step table {index}"), tables.get(*index).ok_or(InterpretError::Table(*index))?.clone()),
        Origin::Param { key, .. } => {
            let tensor = weights.tensors.get(key).ok_or_else(|| InterpretError::Missing(key.clone()))?;
            (format!("parameter {key}"), widen(&tensor.data))
        }
        Origin::Op | Origin::Shared => return Ok(None),
    };
    let wanted = if value.is_batched() { batch * elements } else { elements };
    if data.len() != wanted {
        return Err(InterpretError::Size { what, found: data.len(), wanted });
    }
    Ok(Some(Tensor { data: data.into(), stride: if value.is_batched() { elements } else { 0 } }))
}

fn widen(data: &[f32]) -> Vec<f64> {
    data.iter().map(|x| f64::from(*x)).collect()
}

/// `[B, width]`.
fn sinusoids(times: &[f32], width: usize) -> Vec<f32> {
    let mut out = vec![0.0; times.len() * width];
    for (time, row) in times.iter().zip(out.chunks_mut(width.max(1))) {
        sinusoid(*time, row);
    }
    out
}
