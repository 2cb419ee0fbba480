//! The golden cases: small random U-ViTs evaluated by PyTorch in float32.

use std::collections::BTreeMap;
use std::path::Path;

use duodiff_graph::program::Origin;

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

/// What a load of a graph is fed: inputs by their name among the cases, parameters by their key.
pub fn value(role: &Origin, input: impl Fn(&str) -> Vec<f32>, weights: &Tensors, width: usize, time_scale: f32) -> Vec<f32> {
    match role {
        Origin::Image => input("x"),
        Origin::Label => input("y"),
        Origin::Sinusoid => input("t").iter().flat_map(|t| sinusoid(t * time_scale, width)).collect(),
        Origin::Param { key, .. } => weights[key].1.clone(),
        other => panic!("{other:?}"),
    }
}

/// The sinusoidal embedding `[cos | sin]` of a time, in float32 as the networks were trained with.
fn sinusoid(time: f32, width: usize) -> Vec<f32> {
    let half = width / 2;
    let angle = |i: usize| time * (-(1e4_f32.ln()) * i as f32 / half as f32).exp();
    (0..half).map(|i| angle(i).cos()).chain((0..half).map(|i| angle(i).sin())).collect()
}
