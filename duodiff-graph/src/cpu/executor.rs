//! The executor: loads weights, evaluates backbones, follows trajectories.

mod trace;

use std::ops::ControlFlow;

use super::machine::Machine;
use super::params::{self, Params};
use super::simd::Isa;
use super::tables::Tables;
use super::trajectory::{Evaluation, State, Trajectory};
use super::{CpuError, Memory, memory};
use crate::executor::{Executor, ExecutorError, Request, check};
use crate::noise::Noise;
use crate::plan::Plan;
use crate::process::Steps;
use crate::weights::Weights;

/// How an executor is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// The largest number of images per call, at least 1.
    pub batch: usize,
    /// Number of threads, the caller's included, at least 1.
    pub threads: usize,
    /// Instruction set; none is the fastest that the machine has.
    pub isa: Option<Isa>,
}

impl Default for Options {
    /// One image, every core, the fastest instruction set.
    fn default() -> Self {
        Self { batch: 1, threads: std::thread::available_parallelism().map_or(1, usize::from), isa: None }
    }
}

/// Executes a plan on the CPU.
pub struct Cpu {
    plan: Plan,
    options: Options,
    params: Vec<Params>,
    machine: Machine,
    state: State,
}

impl Cpu {
    /// Packs the weights, one set per backbone in the plan's order, and allocates everything that steps will need.
    pub fn new(plan: Plan, weights: Vec<Weights>, options: Options) -> Result<Self, CpuError> {
        if options.batch == 0 || options.threads == 0 {
            return Err(CpuError::Zero(if options.batch == 0 { "batch" } else { "threads" }));
        }
        let isa = options.isa.unwrap_or_else(Isa::detect);
        if !isa.is_available() {
            return Err(CpuError::Isa(isa));
        }
        let (found, wanted) = (weights.len(), plan.backbones.len());
        if found != wanted {
            return Err(CpuError::Backbones { found, wanted });
        }
        let params = plan.backbones.iter().zip(weights).map(|(backbone, weights)| params::load(backbone, weights));
        let params = params.collect::<Result<_, _>>()?;
        let (arena, scratch) = (memory::arena_floats(&plan, options.batch), memory::scratch_floats(&plan, options.batch));
        let machine = Machine::new(isa, options.threads, arena, scratch);
        let state = State::new(plan.spec.image.elements(), options.batch);
        Ok(Self { plan, options, params, machine, state })
    }

    /// What the executor takes for a trajectory.
    pub fn memory(&self, steps: &Steps) -> Memory {
        Memory::predict(&self.plan, self.options.batch, self.options.threads, &steps.evaluations(self.plan.backbones.len()))
    }

    /// The instruction set in use.
    pub fn isa(&self) -> Isa {
        self.machine.isa
    }
}

impl Executor for Cpu {
    fn plan(&self) -> &Plan {
        &self.plan
    }

    fn batch(&self) -> usize {
        self.options.batch
    }

    fn forward(&mut self, backbone: usize, x: &[f32], times: &[f32], labels: Option<&[u32]>, out: &mut [f32]) -> Result<(), ExecutorError> {
        check::forward(&self.plan, self.options.batch, backbone, x, times, labels, out)?;
        let map = self.plan.spec.time_of(backbone);
        let fed: Vec<f32> = times.iter().map(|&t| map.at(t)).collect();
        let Self { plan, params, machine, .. } = self;
        let tables = Tables::new(machine, &plan.backbones[backbone], &params[backbone], &fed);
        let (entries, labels) = (tables.each(), labels.unwrap_or_default());
        Evaluation { plan, params, backbone, entries, labels }.run(machine, x, out);
        Ok(())
    }

    fn trajectory(
        &mut self,
        steps: &Steps,
        images: &[Request],
        noise: &dyn Noise,
        watch: &mut dyn FnMut(usize) -> ControlFlow<()>,
    ) -> Result<Vec<f32>, ExecutorError> {
        check::batch("images", images.len(), self.options.batch)?;
        let (labels, nulls) = check::request_labels(&self.plan.spec, images, steps.guidance)?;
        let elements = self.plan.spec.image.elements();
        let mut x = vec![0.0; images.len() * elements];
        for (image, x) in images.iter().zip(x.chunks_exact_mut(elements)) {
            noise.fill(image.index, 0, x);
        }
        let Self { plan, params, machine, state, .. } = self;
        let mut trajectory = Trajectory::new(plan, params, machine, state, steps, images);
        for (step, row) in steps.rows.iter().enumerate() {
            trajectory.step(step, row, noise, &labels, &nulls, &mut x);
            if watch(step + 1).is_break() {
                return Err(ExecutorError::Stopped { done: step + 1 });
            }
        }
        Ok(x)
    }
}
