//! From files to checked, hashed tensors.

use std::collections::BTreeMap;

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
