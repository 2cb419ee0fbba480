//! The bytes that an executor takes, known before anything is allocated.

use super::buffer::Buffer;
use super::rows::Scratch;
use super::trajectory::State;
use super::{batch, frame};
use super::{params, tables};
use crate::plan::Plan;

/// Lists of operators, names and tasks, and what the threads keep: more than the largest pair takes, far less than a promise is loose.
const LISTS: u64 = 256 << 10;

/// Bytes of an executor, by purpose: all that it asks of the allocator, its weights included and its plan left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// All values that operators write.
    pub arena: u64,
    /// Weights as the kernels read them.
    pub weights: u64,
    /// States, outputs, history and noise of a trajectory.
    pub state: u64,
    /// Packed rows and scores of all threads.
    pub scratch: u64,
    /// Tables of all backbones, an entry for each step that evaluates the backbone.
    pub tables: u64,
    /// The most that is held while the weights are packed: those that are, and those that still are as they were loaded.
    pub loading: u64,
}

impl Memory {
    /// What an executor of `batch` images and `threads` threads takes for a trajectory that evaluates each backbone so often
    /// ([`Steps::evaluations`](crate::process::Steps::evaluations); for one call of `forward` it is the number of its images).
    pub fn predict(plan: &Plan, batch: usize, threads: usize, evaluations: &[usize]) -> Self {
        Self {
            arena: Buffer::bytes(arena_floats(plan, batch)),
            weights: plan.backbones.iter().map(params::bytes).sum(),
            state: State::bytes(plan.spec.image.elements(), batch),
            scratch: Buffer::bytes(Scratch::round(scratch_floats(plan, batch)) * threads),
            tables: plan.backbones.iter().zip(evaluations).map(|(backbone, steps)| tables::bytes(backbone, *steps)).sum(),
            loading: params::loading(&plan.backbones),
        }
    }

    /// What is held during the trajectory.
    pub fn held(self) -> u64 {
        self.arena + self.weights + self.state + self.scratch + self.tables + LISTS
    }

    /// The most that is held at any time, from the loaded weights on: never less than the truth, and at most 1 % or 1 MiB more.
    pub fn peak(self) -> u64 {
        self.held().max(self.loading + LISTS)
    }
}

/// Floats of the arena: the plan's for as many of `batch` images as are evaluated together, and room for one step of each prelude.
pub(super) fn arena_floats(plan: &Plan, batch: usize) -> usize {
    let preludes = plan.backbones.iter().map(|backbone| tables::extent(&backbone.prelude));
    preludes.max().unwrap_or(0).max(plan.arena * batch::efficient_batch(plan).min(batch))
}

/// Scratch floats of one worker: the most that an operator asks for.
pub(super) fn scratch_floats(plan: &Plan, batch: usize) -> usize {
    let of = |program: &crate::program::Program, batch| program.ops.iter().map(|op| frame::scratch(program, op, batch)).max();
    let (slice, arena) = (batch::efficient_batch(plan).min(batch), arena_floats(plan, batch));
    let both = plan.backbones.iter().flat_map(|backbone| {
        let chunk = tables::chunk(backbone, arena);
        [of(&backbone.net.prelude, chunk), of(&backbone.net.body, slice)]
    });
    both.flatten().max().unwrap_or(0)
}
