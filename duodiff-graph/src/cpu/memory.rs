//! The bytes that the executor holds, known before anything is allocated.

use super::buffer::Buffer;
use super::frame;
use super::rows::Scratch;
use super::trajectory::State;
use super::{params, tables};
use crate::plan::Plan;

/// Bytes of an executor, by purpose.
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
    /// Per-step tables of all backbones, if each were evaluated at every step.
    pub tables: u64,
}

impl Memory {
    /// What an executor of `batch` images and `threads` threads holds during a trajectory of `steps` steps.
    pub fn predict(plan: &Plan, batch: usize, threads: usize, steps: usize) -> Self {
        Self {
            arena: Buffer::bytes(arena_floats(plan, batch)),
            weights: plan.backbones.iter().map(params::bytes).sum(),
            state: State::bytes(plan.spec.image.elements(), batch),
            scratch: Buffer::bytes(Scratch::round(scratch_floats(plan, batch)) * threads),
            tables: plan.backbones.iter().map(|backbone| tables::bytes(backbone, steps)).sum(),
        }
    }

    /// The sum.
    pub fn total(self) -> u64 {
        self.arena + self.weights + self.state + self.scratch + self.tables
    }
}

/// Floats of the arena: the plan's at this batch, and room for one step of each prelude.
pub(super) fn arena_floats(plan: &Plan, batch: usize) -> usize {
    let preludes = plan.backbones.iter().map(|backbone| tables::extent(&backbone.prelude));
    preludes.max().unwrap_or(0).max(plan.arena * batch)
}

/// Scratch floats of one worker: the most that an operator asks for.
pub(super) fn scratch_floats(plan: &Plan, batch: usize) -> usize {
    let of = |program: &crate::program::Program, batch| program.ops.iter().map(|op| frame::scratch(program, op, batch)).max();
    let arena = arena_floats(plan, batch);
    let both = plan.backbones.iter().flat_map(|backbone| {
        let chunk = tables::chunk(backbone, arena);
        [of(&backbone.net.prelude, chunk), of(&backbone.net.body, batch)]
    });
    both.flatten().max().unwrap_or(0)
}
