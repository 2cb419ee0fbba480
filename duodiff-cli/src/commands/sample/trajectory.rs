//! One batch: watched step by step, for progress and for signals.

use std::ops::{ControlFlow, Range};
use std::time::{Duration, Instant};

use duodiff::graph::executor::{Executor, ExecutorError};
use duodiff::graph::plan::Plan;
use duodiff::graph::process::Steps;
use duodiff::graph::sampler::{self, Image, Sampler, SamplerError, Settings};

use super::job::Job;
use crate::error::Exit;
use crate::progress::{Position, Progress};
use crate::signals;

/// After a signal, a batch that would end within this time is finished and written.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why there are no samples.
pub enum Ended {
    /// A signal came.
    Interrupted,
    /// The executor failed, and why.
    Failed(Exit, String),
}

/// The share of a trajectory's work that is done after each step.
pub struct Pace(Vec<f64>);

impl Pace {
    /// Work is counted in floating-point operations.
    pub fn new(plan: &Plan, steps: &Steps) -> Self {
        let flops = |backbone: usize| plan.backbones[backbone].cost.flops as f64;
        let all: f64 = steps.rows.iter().map(|row| flops(row.backbone)).sum();
        let done = steps.rows.iter().scan(0.0, |done, row| {
            *done += flops(row.backbone);
            Some(*done / all.max(1.0))
        });
        Self(std::iter::once(0.0).chain(done).collect())
    }

    /// After `done` steps.
    fn share(&self, done: usize) -> f64 {
        self.0.get(done).copied().unwrap_or(1.0)
    }
}

/// Samples one batch.
pub fn sample(
    job: &Job,
    executor: &mut dyn Executor,
    images: Range<u64>,
    pace: &Pace,
    progress: &mut Progress,
) -> Result<Vec<Image>, Ended> {
    let started = Instant::now();
    let rows = &job.steps.rows;
    let count = (images.end - images.start) as usize;
    let watch = |at: sampler::Progress| {
        let share = pace.share(at.step);
        let phase = &job.spec.backbones[rows[at.step.min(rows.len() - 1)].backbone].name;
        progress.step(Position { step: at.step, steps: rows.len(), phase, share, images: count });
        let left = started.elapsed().mul_f64((1.0 - share) / share.max(1e-9));
        if signals::interrupted() && left > PATIENCE { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let settings = Settings { seed: job.seed, images, labels: job.labels.clone(), batch: None };
    let sampler = Sampler::new(executor, &job.steps, settings).map(|sampler| sampler.watch(watch));
    sampler.and_then(|mut sampler| sampler.next().unwrap_or(Ok(Vec::new()))).map_err(|why| match why {
        SamplerError::Executor(ExecutorError::Stopped { .. }) => Ended::Interrupted,
        SamplerError::Executor(ExecutorError::Device(why)) => Ended::Failed(Exit::Device, why.to_string()),
        why => Ended::Failed(Exit::Failed, why.to_string()),
    })
}
