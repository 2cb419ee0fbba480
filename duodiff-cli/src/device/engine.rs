//! What executes: a place that was opened, how much fits into it, and the executor.

use duodiff::graph::cpu;
use duodiff::graph::cuda::{self, Cuda, Gpu};
use duodiff::graph::executor::Traced;
use duodiff::graph::launch::DevicePlan;
use duodiff::graph::plan::Plan;

use super::{Kernels, Place, failed};
use crate::args::BatchArg;
use crate::error::{Exit, Failure, Result};
use crate::source::Ready;
use crate::{report, resources};

/// A place, ready to hold an executor.
pub enum Engine {
    /// This machine's cores.
    Cpu {
        /// So many threads.
        threads: usize,
    },
    /// An open GPU.
    Gpu(Box<OpenGpu>),
}

/// An open GPU and what it will run.
pub struct OpenGpu {
    gpu: Gpu,
    device: DevicePlan,
    kernels: Kernels,
    /// Bytes of its memory that are free.
    free: u64,
}

impl Engine {
    /// Opens a place for a plan.
    pub fn open(place: Place, plan: &Plan, threads: usize) -> Result<Self> {
        let Place::Gpu { record, target, kernels } = place else { return Ok(Self::Cpu { threads }) };
        let device = DevicePlan::new(plan, kernels.precision, target).map_err(|why| failed(&why.into()))?;
        let gpu = Gpu::open(record.ordinal).map_err(|why| failed(&why))?;
        let free = gpu.free_memory().map_err(|why| failed(&why))?;
        Ok(Self::Gpu(Box::new(OpenGpu { gpu, device, kernels, free })))
    }

    /// E.g. `cpu, 8 threads`.
    pub fn describe(&self) -> String {
        match self {
            Self::Cpu { threads } => format!("cpu, {threads} threads"),
            Self::Gpu(open) => {
                let record = open.gpu.record();
                format!("cuda:{} {}, kernels for {} in {}", record.ordinal, record.name, open.device.gpu.target, open.kernels.precision)
            }
        }
    }

    /// As many images as asked for; else as many as run well and fit into memory; never more than `count`.
    pub fn batch(&self, asked: BatchArg, ready: &Ready, count: u64, evaluations: &[usize]) -> usize {
        let most = usize::try_from(count).unwrap_or(usize::MAX);
        let fits = |batch: &usize| self.check(ready, *batch, evaluations, "").is_ok();
        match (asked, self) {
            (BatchArg::Images(images), _) => images.min(most),
            (BatchArg::Auto, Self::Cpu { .. }) => (1..=ready.efficient_batch().min(most)).rev().find(fits).unwrap_or(1),
            (BatchArg::Auto, Self::Gpu(open)) => {
                let prepared = open.kernels.batches.iter().map(|batch| (*batch as usize).min(most));
                prepared.rev().find(fits).unwrap_or(1)
            }
        }
    }

    /// Refuses a batch that needs more memory than is free, or more than a launch can count. `hint` says how to need less.
    pub fn check(&self, ready: &Ready, batch: usize, evaluations: &[usize], hint: &str) -> Result {
        let open = match self {
            Self::Cpu { threads } => return resources::check_memory(ready.memory(batch, *threads, evaluations), hint),
            Self::Gpu(open) => open,
        };
        open.device.check_batch(batch).map_err(|why| failed(&why.into()))?;
        let memory = cuda::Memory::predict(ready.plan(), &open.device, batch, evaluations).map_err(|why| failed(&why))?;
        let (needed, free) = (memory.total(), open.free);
        if needed <= free {
            return Ok(());
        }
        let (needed, free, ordinal) = (report::bytes(needed), report::bytes(free), open.gpu.record().ordinal);
        let message = format!("the run needs {needed} of memory on cuda:{ordinal}, {free} are free");
        Err(Failure::new(Exit::Resources, message).hint(hint))
    }

    /// Sets the executor up.
    pub fn executor(self, ready: Ready, batch: usize) -> Result<Box<dyn Traced>> {
        match self {
            Self::Cpu { threads } => ready.executor(batch, threads).map(|cpu: cpu::Cpu| Box::new(cpu) as Box<dyn Traced>),
            Self::Gpu(open) => {
                let OpenGpu { gpu, kernels, .. } = *open;
                let options = cuda::Options { batch, precision: kernels.precision };
                let (plan, weights) = ready.into_parts();
                let cuda = Cuda::new(gpu, plan, weights, &kernels.cubins, options).map_err(|why| failed(&why))?;
                Ok(Box::new(cuda))
            }
        }
    }
}
