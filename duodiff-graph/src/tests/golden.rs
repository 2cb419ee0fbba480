//! The golden cases: small random U-ViTs, evaluated by PyTorch in float32.

use std::path::PathBuf;

use crate::weights::{Tensor, Weights};

/// The bytes of a file among the tests' data.
fn read(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/data").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All float32 tensors of a file.
pub fn tensors(name: &str) -> Weights {
    let bytes = read(name);
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let mut weights = Weights::default();
    for (key, view) in file.tensors() {
        if view.dtype() == safetensors::Dtype::F32 {
            let data = view.data().chunks(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap())).collect();
            weights.tensors.insert(key, Tensor { shape: view.shape().to_vec(), data });
        }
    }
    weights
}
