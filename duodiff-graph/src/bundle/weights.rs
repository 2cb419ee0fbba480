//! The weights section: per tensor, in the order of keys, its key, shape, format and elements.

use std::collections::BTreeMap;

use half::{bf16, f16};

use super::BundleError;
use crate::weights::tensors::Dtype;
use crate::weights::{Tensor, Wanted, Weights, WeightsError, extend};

/// What a malformed section is.
const MALFORMED: BundleError = BundleError::Decode { section: "weights" };

/// Formats by their code.
const FORMATS: [Dtype; 3] = [Dtype::F32, Dtype::BF16, Dtype::F16];

/// The bytes of one backbone's weights.
pub fn encode(weights: &Weights) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (key, tensor) in &weights.tensors {
        let dtype = smallest(&tensor.data);
        let code = FORMATS.iter().position(|format| *format == dtype).expect("invariant: one of the formats") as u8;
        put(&mut bytes, key.len());
        bytes.extend_from_slice(key.as_bytes());
        put(&mut bytes, tensor.shape.len());
        tensor.shape.iter().for_each(|extent| put(&mut bytes, *extent));
        bytes.push(code);
        match dtype {
            Dtype::BF16 => tensor.data.iter().for_each(|value| bytes.extend_from_slice(&bf16::from_f32(*value).to_le_bytes())),
            Dtype::F16 => tensor.data.iter().for_each(|value| bytes.extend_from_slice(&f16::from_f32(*value).to_le_bytes())),
            _ => tensor.data.iter().for_each(|value| bytes.extend_from_slice(&value.to_le_bytes())),
        }
    }
    bytes
}

/// The smallest type that holds every value exactly.
fn smallest(data: &[f32]) -> Dtype {
    let same = |value: &f32, kept: f32| value.to_bits() == kept.to_bits();
    if data.iter().all(|value| same(value, bf16::from_f32(*value).to_f32())) {
        Dtype::BF16
    } else if data.iter().all(|value| same(value, f16::from_f32(*value).to_f32())) {
        Dtype::F16
    } else {
        Dtype::F32
    }
}

/// The weights that `wanted` asks for; anything else is malformed.
pub fn decode(mut bytes: &[u8], wanted: &Wanted) -> Result<Weights, BundleError> {
    let mut tensors = BTreeMap::new();
    for (key, shape) in &wanted.params {
        let length = number(&mut bytes)?;
        if take(&mut bytes, length)? != key.as_bytes() {
            return Err(MALFORMED);
        }
        let rank = number(&mut bytes)?;
        if rank != shape.len() {
            return Err(MALFORMED);
        }
        for extent in shape {
            if number(&mut bytes)? != *extent {
                return Err(MALFORMED);
            }
        }
        let code = take(&mut bytes, 1)?[0];
        let dtype = *FORMATS.get(usize::from(code)).ok_or(MALFORMED)?;
        let elements: usize = shape.iter().product();
        let encoded = take(&mut bytes, elements.checked_mul(dtype.size() as usize).ok_or(MALFORMED)?)?;
        let mut data = Vec::with_capacity(elements);
        extend(&mut data, dtype, encoded);
        if let Some(element) = data.iter().position(|value| !value.is_finite()) {
            return Err(WeightsError::NotFinite { name: key.clone(), element, found: data[element] }.into());
        }
        tensors.insert(key.clone(), Tensor { shape: shape.clone(), data });
    }
    if bytes.is_empty() { Ok(Weights::new(tensors)) } else { Err(MALFORMED) }
}

/// Appends a length as u64.
fn put(bytes: &mut Vec<u8>, number: usize) {
    bytes.extend_from_slice(&(number as u64).to_le_bytes());
}

/// Takes a length.
fn number(bytes: &mut &[u8]) -> Result<usize, BundleError> {
    let (number, rest) = bytes.split_first_chunk().ok_or(MALFORMED)?;
    *bytes = rest;
    usize::try_from(u64::from_le_bytes(*number)).map_err(|_| MALFORMED)
}

/// Takes so many bytes.
fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Result<&'a [u8], BundleError> {
    let (taken, rest) = bytes.split_at_checked(length).ok_or(MALFORMED)?;
    *bytes = rest;
    Ok(taken)
}
