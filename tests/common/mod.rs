//! What several test files share: recorded cases, recorded noise, compiled pairs and executors for them.

#![allow(dead_code, reason = "each test binary uses a part")]

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use duodiff::Pair;
use duodiff::graph::compile::{self, compile};
use duodiff::graph::cpu::{Cpu, Options};
use duodiff::graph::executor::{Executor, Request};
use duodiff::graph::noise::Noise;
use duodiff::graph::plan::Plan;
use duodiff::graph::process::Steps;
use duodiff::graph::weights::{Wanted, Weights};
use safetensors::SafeTensors;

pub mod dit;
pub mod pairs;

/// The checkout: where this was built or, on another machine, the working folder.
fn root() -> &'static Path {
    let built = Path::new(env!("CARGO_MANIFEST_DIR"));
    if built.join("tests/data").is_dir() { built } else { Path::new(".") }
}

/// A file of `tests/data`.
pub fn data(name: &str) -> PathBuf {
    root().join("tests/data").join(name)
}

/// Recorded inputs and outputs, float32 by name (integers are converted).
pub struct Cases(BTreeMap<String, Vec<f32>>);

impl Cases {
    /// Reads `tests/data/NAME.cases.safetensors`.
    pub fn read(name: &str) -> Self {
        let bytes = std::fs::read(data(&format!("{name}.cases.safetensors"))).expect("recorded cases");
        let file = SafeTensors::deserialize(&bytes).expect("a safetensors file");
        let values = |tensor: &safetensors::tensor::TensorView<'_>| -> Vec<f32> {
            match tensor.dtype() {
                safetensors::Dtype::F32 => {
                    tensor.data().chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().expect("4 bytes"))).collect()
                }
                safetensors::Dtype::I64 => {
                    tensor.data().chunks_exact(8).map(|b| i64::from_le_bytes(b.try_into().expect("8 bytes")) as f32).collect()
                }
                other => panic!("unexpected dtype {other:?}"),
            }
        };
        Self(file.iter().map(|(name, tensor)| (name.to_string(), values(&tensor))).collect())
    }

    /// A recorded tensor.
    pub fn get(&self, name: &str) -> &[f32] {
        self.0.get(name).unwrap_or_else(|| panic!("{name} is not recorded"))
    }

    /// The recorded labels, if the pair has classes.
    pub fn labels(&self) -> Option<Vec<u32>> {
        self.0.get("y").map(|y| y.iter().map(|&label| label as u32).collect())
    }
}

/// A compiled pair.
pub fn plan(pair: &dyn Pair) -> Plan {
    compile(pair, &compile::Options::default()).expect("a pair that compiles").plan
}

/// Weights for both backbones of a plan from `PREFIX.shallow.safetensors` and `PREFIX.deep.safetensors`.
pub fn read_weights(plan: &Plan, folder: &str, prefix: &str) -> Vec<Weights> {
    let wanted = Wanted::all(plan);
    let read = |index: usize| {
        let name = &plan.spec.backbones[index].name;
        let path = root().join(folder).join(format!("{prefix}.{name}.safetensors"));
        Weights::open(&path, &wanted, index).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
    };
    (0..plan.backbones.len()).map(read).collect()
}

/// An executor on one thread.
pub fn cpu(plan: Plan, weights: Vec<Weights>, batch: usize) -> Cpu {
    Cpu::new(plan, weights, Options { batch, threads: 1, isa: None }).expect("an executor")
}

/// Noise that was recorded with a trajectory: image i starts from row i of `start`; `at(k)` is the noise of step k.
pub struct Recorded<'a> {
    pub start: &'a [f32],
    pub noise: Option<&'a [f32]>,
    pub timesteps: usize,
}

impl Noise for Recorded<'_> {
    fn fill(&self, index: u64, draw: u32, out: &mut [f32]) {
        let n = out.len();
        match draw.checked_sub(1) {
            None => out.copy_from_slice(&self.start[index as usize * n..][..n]),
            // Step k is evaluated at timesteps − 1 − k, and the noise is recorded by timestep.
            Some(step) => {
                let noise = self.noise.expect("a trajectory with noise");
                out.copy_from_slice(&noise[(self.timesteps - 1 - step as usize) * n..][..n]);
            }
        }
    }
}

/// Runs a trajectory of `images` images from recorded noise.
pub fn trajectory(executor: &mut dyn Executor, steps: &Steps, images: usize, label: Option<u32>, noise: &Recorded<'_>) -> Vec<f32> {
    let requests: Vec<_> = (0..images as u64).map(|index| Request { index, label }).collect();
    executor.trajectory(steps, &requests, noise, &mut |_| ControlFlow::Continue(())).expect("a trajectory")
}

/// The largest absolute difference.
pub fn distance(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    // NaN must not vanish in max.
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, |most, d| if d > most || d.is_nan() { d } else { most })
}

/// The largest absolute value.
pub fn largest(a: &[f32]) -> f32 {
    a.iter().fold(0.0, |most, x| x.abs().max(most))
}
