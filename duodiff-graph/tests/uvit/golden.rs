//! The golden cases: small random U-ViTs evaluated by PyTorch in float32.

use std::collections::BTreeMap;
use std::path::Path;

/// Tensors by name: shape and elements; integers as float32.
pub type Tensors = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

/// Reads a file among the tests' data.
pub fn tensors(name: &str) -> Tensors {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data").join(name);
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let number = |dtype, bytes: &[u8]| match dtype {
        safetensors::Dtype::F32 => f32::from_le_bytes(bytes.try_into().unwrap()),
        safetensors::Dtype::I64 => i64::from_le_bytes(bytes.try_into().unwrap()) as f32,
        other => panic!("{other:?}"),
    };
    let read = |view: safetensors::tensor::TensorView| {
        let width = view.data().len() / view.shape().iter().product::<usize>();
        (view.shape().to_vec(), view.data().chunks(width).map(|bytes| number(view.dtype(), bytes)).collect())
    };
    file.tensors().into_iter().map(|(name, view)| (name, read(view))).collect()
}

/// The sinusoidal embedding `[cos | sin]` of a time, in float32 as the networks were trained with.
pub fn sinusoid(time: f32, width: usize) -> Vec<f32> {
    let half = width / 2;
    let angle = |i: usize| time * (-(1e4_f32.ln()) * i as f32 / half as f32).exp();
    (0..half).map(|i| angle(i).cos()).chain((0..half).map(|i| angle(i).sin())).collect()
}
