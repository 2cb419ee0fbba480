//! What checks and timings stand on: a folder of cubins, and executors of pairs.

use std::ops::ControlFlow;
use std::path::Path;

use duodiff::Pair;
use duodiff::graph::cpu::{self, Cpu};
use duodiff::graph::cuda::{Cuda, Gpu, Options};
use duodiff::graph::emit::Cubin;
use duodiff::graph::executor::{Executor, Request};
use duodiff::graph::launch::Precision;
use duodiff::graph::noise::Philox;
use duodiff::graph::plan::Plan;
use duodiff::graph::process::{Settings, Solver, Steps};
use duodiff::graph::weights::{Wanted, Weights};

use crate::{Result, common, cubins};

/// The seed of all noise.
const SEED: u64 = 42;

/// Kernels for the machine's first GPU.
pub struct Bed {
    pub cubins: Vec<Cubin>,
}

/// A plan with weights.
#[derive(Clone)]
pub struct Model {
    pub plan: Plan,
    pub weights: Vec<Weights>,
}

impl Bed {
    pub fn open(folder: &Path) -> Result<Self> {
        Ok(Self { cubins: cubins::read(folder)? })
    }

    /// Says what everything was measured on.
    pub fn introduce(&self) {
        match Gpu::open(0) {
            Ok(gpu) => {
                let record = gpu.record();
                let (major, minor) = (record.driver / 1000, record.driver % 1000 / 10);
                println!("{}, driver for CUDA {major}.{minor}, {} processors", record.name, record.processors);
            }
            Err(why) => println!("no GPU: {why}"),
        }
    }

    /// An executor on the GPU.
    pub fn cuda(&self, model: &Model, batch: usize, precision: Precision) -> Result<Cuda> {
        Ok(Cuda::new(Gpu::open(0)?, model.plan.clone(), model.weights.clone(), &self.cubins, Options { batch, precision })?)
    }
}

impl Model {
    /// A pair with random weights.
    pub fn random(pair: &dyn Pair) -> Self {
        let plan = common::plan(pair);
        let weights = Wanted::all(&plan).iter().map(|wanted| Weights::random(1, wanted)).collect();
        Self { plan, weights }
    }

    pub fn name(&self) -> &str {
        &self.plan.spec.name
    }

    pub fn cpu(&self, batch: usize) -> Result<Cpu> {
        let threads = std::thread::available_parallelism()?.get();
        Ok(Cpu::new(self.plan.clone(), self.weights.clone(), cpu::Options { batch, threads, isa: None })?)
    }

    /// So many steps; DDPM if they are all, else DDIM.
    pub fn steps(&self, count: Option<u32>) -> Result<Steps> {
        let all = self.plan.spec.process.steps;
        let solver = if count.is_none_or(|count| count == all) { Solver::Ddpm } else { Solver::Ddim { eta: 0.0 } };
        Ok(Steps::new(&self.plan.spec, &Settings { solver, steps: count, ..Settings::default() })?)
    }

    /// Images by global index.
    pub fn requests(&self, indices: std::ops::Range<usize>) -> Vec<Request> {
        let label = |index: usize| self.plan.spec.classes.map(|classes| index as u32 % classes.count);
        indices.map(|index| Request { index: index as u64, label: label(index) }).collect()
    }
}

/// A pair with weights of files.
pub fn read(pair: &dyn Pair, folder: &str, prefix: &str) -> Model {
    let plan = common::plan(pair);
    Model { weights: common::read_weights(&plan, folder, prefix), plan }
}

/// A trajectory to its end.
pub fn sample(executor: &mut dyn Executor, steps: &Steps, requests: &[Request]) -> Result<Vec<f32>> {
    Ok(executor.trajectory(steps, requests, &Philox { seed: SEED }, &mut |_| ControlFlow::Continue(()))?)
}
