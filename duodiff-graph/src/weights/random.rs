//! Weights for benchmarks and tests: reproducible, and of a size that keeps every path of a network active.

use super::{Tensor, Wanted, Weights};
use crate::noise::{Noise, Philox};

impl Weights {
    /// Normal numbers from `seed`: gains of norms around 1, small biases and embeddings, 1/√(inputs) for the rest.
    ///
    /// A tensor is a function of seed, backbone, key and shape.
    pub fn random(seed: u64, wanted: &Wanted) -> Self {
        let tensor = |(key, shape): (&String, &Vec<usize>)| {
            let mut data = vec![0.0; shape.iter().product()];
            Philox { seed }.fill(stream(&wanted.backbone, key), 0, &mut data);
            let (mean, deviation) = scale(key, shape);
            data.iter_mut().for_each(|value| *value = value.mul_add(deviation, mean));
            (key.clone(), Tensor { shape: shape.clone(), data })
        };
        Self::new(wanted.params.iter().map(tensor).collect())
    }
}

/// The image index whose noise a tensor takes.
fn stream(backbone: &str, key: &str) -> u64 {
    let hash = blake3::hash(format!("{backbone}/{key}").as_bytes());
    let [a, b, c, d, e, f, g, h, ..] = *hash.as_bytes();
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

/// (mean, standard deviation) of a tensor, by its role.
fn scale(key: &str, shape: &[usize]) -> (f32, f32) {
    let inputs: usize = shape.iter().skip(1).product();
    match shape {
        [_] if key.ends_with("weight") => (1.0, 0.1),
        [_] => (0.0, 0.1),
        _ if key.contains("emb") && !key.contains("proj") && !key.contains("time") => (0.0, 0.1),
        _ => (0.0, 1.0 / (inputs.max(1) as f32).sqrt()),
    }
}
