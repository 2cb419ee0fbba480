//! What the tests set up: a plan, weights, kernels, and both executors.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use duodiff::Pair;
use duodiff::graph::cpu::{self, Cpu};
use duodiff::graph::cuda::{Cuda, Gpu, Options};
use duodiff::graph::emit::{self, Cache, Compiler, Cubin, Job, Nvcc, Unit};
use duodiff::graph::executor::{Executor, ExecutorError, Request};
use duodiff::graph::launch::{self, Module, Precision};
use duodiff::graph::noise::Philox;
use duodiff::graph::plan::Plan;
use duodiff::graph::process::{Settings, Solver, Steps};
use duodiff::graph::target::Sm;
use duodiff::graph::weights::{Wanted, Weights};
use fake_driver::Driver;

use crate::common;

/// The seed of all trajectories.
pub const SEED: u64 = 42;

/// What the emulated GPU is.
pub const TARGET: Sm = Sm::Sm90a;

/// The driver for one test, and the emulator's compiler; none, with a note, where one of them is missing.
pub fn driver() -> Option<(Driver, Compiler)> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/emulator/nvcc");
    let found = Driver::take().zip(Nvcc::probe(&script).ok().map(Compiler::Nvcc));
    if found.is_none() {
        println!("skipped: needs Linux and a C++ compiler (c++ on PATH, or CXX)");
    }
    found
}

/// A pair that can be run.
pub struct Kit {
    pub plan: Plan,
    pub weights: Vec<Weights>,
    pub cubins: Vec<Cubin>,
    pub precision: Precision,
}

impl Kit {
    /// A pair with random weights and its kernels.
    pub fn new(compiler: &Compiler, pair: &dyn Pair, precision: Precision) -> Self {
        let plan = common::plan(pair);
        let weights = Wanted::all(&plan).iter().map(|wanted| Weights::random(1, wanted)).collect();
        Self { cubins: cubins(compiler, &plan, precision), plan, weights, precision }
    }

    /// The same with more modules.
    pub fn with_modules(mut self, compiler: &Compiler, modules: impl IntoIterator<Item = Module>) -> Self {
        let units: Vec<_> = modules.into_iter().map(|module| Unit::of(module).expect("a source")).collect();
        self.cubins.extend(made(compiler, &units));
        self
    }

    /// The same with weights of files.
    pub fn with_weights(self, folder: &str, prefix: &str) -> Self {
        let weights = common::read_weights(&self.plan, folder, prefix);
        Self { weights, ..self }
    }

    pub fn cpu(&self, batch: usize) -> Cpu {
        Cpu::new(self.plan.clone(), self.weights.clone(), cpu::Options { batch, threads: 2, isa: None }).expect("an executor")
    }

    pub fn cuda(&self, batch: usize) -> Cuda {
        self.cuda_with(batch, |known| known)
    }

    /// The same with another entry for the GPU.
    pub fn cuda_with(&self, batch: usize, table: impl Fn(launch::Gpu) -> launch::Gpu) -> Cuda {
        let gpu = Gpu::open(0).expect("a GPU");
        let options = Options { batch, precision: self.precision };
        Cuda::with_table(gpu, self.plan.clone(), self.weights.clone(), &self.cubins, options, table).expect("an executor")
    }

    /// Steps of DDIM with noise in each, guided where there are labels.
    pub fn steps(&self, count: u32) -> Steps {
        let guidance = self.plan.spec.classes.map(|_| 0.4);
        let settings = Settings { solver: Solver::Ddim { eta: 0.5 }, steps: Some(count), guidance, ..Settings::default() };
        Steps::new(&self.plan.spec, &settings).expect("steps")
    }

    /// Images by global index.
    pub fn requests(&self, indices: impl IntoIterator<Item = u64>) -> Vec<Request> {
        let label = |index: u64| self.plan.spec.classes.map(|classes| (index % u64::from(classes.count - 1)) as u32);
        indices.into_iter().map(|index| Request { index, label: label(index) }).collect()
    }
}

/// A trajectory to its end.
pub fn try_sample(executor: &mut dyn Executor, steps: &Steps, requests: &[Request]) -> Result<Vec<f32>, ExecutorError> {
    executor.trajectory(steps, requests, &Philox { seed: SEED }, &mut |_| ControlFlow::Continue(()))
}

/// A trajectory that must not fail.
pub fn sample(executor: &mut dyn Executor, steps: &Steps, requests: &[Request]) -> Vec<f32> {
    try_sample(executor, steps, requests).expect("a trajectory")
}

/// The kernels of a plan as objects of the emulator, kept from run to run.
fn cubins(compiler: &Compiler, plan: &Plan, precision: Precision) -> Vec<Cubin> {
    made(compiler, &emit::units(plan, precision, TARGET).expect("sources"))
}

fn made(compiler: &Compiler, units: &[Unit]) -> Vec<Cubin> {
    // What two tests need is made once.
    static MAKING: Mutex<()> = Mutex::new(());
    let _alone = MAKING.lock();
    let jobs: Vec<_> = units.iter().map(|unit| Job { unit, target: TARGET }).collect();
    let cache = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("emulated");
    let options = emit::Options { threads: 2, cache: Some(Cache::new(cache)) };
    emit::cubins(compiler, &jobs, &options, &|_| ControlFlow::Continue(())).expect("objects")
}

/// The root of the mean of squares of `found - wanted`, as a share of that of `wanted`.
pub fn relative(found: &[f32], wanted: &[f32]) -> f64 {
    assert_eq!(found.len(), wanted.len());
    let squares = |values: &mut dyn Iterator<Item = f64>| values.map(|x| x * x).sum::<f64>();
    let off = squares(&mut found.iter().zip(wanted).map(|(a, b)| f64::from(*a) - f64::from(*b)));
    (off / squares(&mut wanted.iter().map(|x| f64::from(*x)))).sqrt()
}
