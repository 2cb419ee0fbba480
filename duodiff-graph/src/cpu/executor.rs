//! The executor: loads weights, evaluates backbones, follows trajectories.

use std::ops::ControlFlow;

use super::machine::Machine;
use super::params::{self, Params};
use super::simd::Isa;
use super::tables::Tables;
use super::trajectory::{Evaluation, State, Trajectory};
use super::{CpuError, Memory, memory};
use crate::executor::{Executor, ExecutorError, Request};
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

    fn check_batch(&self, what: &'static str, found: usize) -> Result<(), ExecutorError> {
        let wanted = self.options.batch;
        if found > wanted { Err(ExecutorError::Size { what, found, wanted }) } else { Ok(()) }
    }

    fn check_labels(&self, count: usize, labels: Option<&[u32]>) -> Result<(), ExecutorError> {
        match (self.plan.spec.classes, labels) {
            (None, None) => Ok(()),
            (None, Some(_)) => Err(ExecutorError::Label("the pair has no classes -- leave the labels out".into())),
            (Some(classes), None) => Err(ExecutorError::Label(format!("the pair has {} classes -- give a label per image", classes.count))),
            (Some(_), Some(labels)) if labels.len() != count => {
                Err(ExecutorError::Size { what: "labels", found: labels.len(), wanted: count })
            }
            (Some(classes), Some(labels)) => match labels.iter().find(|&&label| label >= classes.count) {
                Some(label) => Err(ExecutorError::Label(format!("label {label} is out of range, labels are below {}", classes.count))),
                None => Ok(()),
            },
        }
    }

    /// The labels of requests and, if guided, the null label for each.
    fn request_labels(&self, images: &[Request], guidance: f32) -> Result<(Vec<u32>, Vec<u32>), ExecutorError> {
        let labels: Vec<u32> = images.iter().filter_map(|image| image.label).collect();
        let is_labelled = self.plan.spec.classes.is_some() || !labels.is_empty();
        self.check_labels(images.len(), is_labelled.then_some(&labels[..]))?;
        if guidance == 0.0 {
            return Ok((labels, Vec::new()));
        }
        let null = self.plan.spec.classes.and_then(|classes| classes.null);
        let null = null.ok_or_else(|| ExecutorError::Label("guidance needs a null label, the pair has none".into()))?;
        Ok((labels, vec![null; images.len()]))
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
        let (count, wanted) = (times.len(), times.len() * self.plan.spec.image.elements());
        self.check_batch("times", count)?;
        for (what, found) in [("x", x.len()), ("out", out.len())] {
            if found != wanted {
                return Err(ExecutorError::Size { what, found, wanted });
            }
        }
        if backbone >= self.params.len() {
            return Err(ExecutorError::Backbone { found: backbone, count: self.params.len() });
        }
        self.check_labels(count, labels)?;
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
        self.check_batch("images", images.len())?;
        let (labels, nulls) = self.request_labels(images, steps.guidance)?;
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
