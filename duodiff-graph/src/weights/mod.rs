//! From files to checked, hashed tensors.
//!
//! A file's names, types and shapes are matched against the plan before a byte of tensor data is read.

mod error;
mod json;
mod load;
mod random;
pub mod tensors;
#[cfg(test)]
mod tests;
mod wanted;

use std::collections::BTreeMap;

pub use error::WeightsError;
pub(crate) use load::extend;
pub use load::open_all;
pub use wanted::Wanted;

/// The parameters of one backbone, as float32.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Weights {
    /// By checkpoint key.
    pub tensors: BTreeMap<String, Tensor>,
    /// BLAKE3 over keys, shapes and values: one hash for one network, whatever the file format.
    pub hash: [u8; 32],
}

/// One parameter, row by row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tensor {
    /// Shape in the checkpoint.
    pub shape: Vec<usize>,
    /// Elements.
    pub data: Vec<f32>,
}

impl Weights {
    /// Hashes `tensors`.
    pub fn new(tensors: BTreeMap<String, Tensor>) -> Self {
        let hash = hash(&tensors);
        Self { tensors, hash }
    }
}

/// BLAKE3 over key, shape and little-endian values of every tensor, in the order of keys; lengths as u64 before each.
fn hash(tensors: &BTreeMap<String, Tensor>) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"duodiff weights 1");
    for (key, tensor) in tensors {
        hasher.update(&(key.len() as u64).to_le_bytes());
        hasher.update(key.as_bytes());
        hasher.update(&(tensor.shape.len() as u64).to_le_bytes());
        for extent in &tensor.shape {
            hasher.update(&(*extent as u64).to_le_bytes());
        }
        if cfg!(target_endian = "little") {
            hasher.update(bytemuck::cast_slice(&tensor.data));
        } else {
            tensor.data.iter().for_each(|value| _ = hasher.update(&value.to_le_bytes()));
        }
    }
    *hasher.finalize().as_bytes()
}
