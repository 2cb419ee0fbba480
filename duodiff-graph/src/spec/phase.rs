//! Phases: runs of consecutive training timesteps, each evaluated by one backbone.

use serde::{Deserialize, Serialize};

/// A run of training timesteps evaluated by one backbone, in sampling order: `first >= last`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phase {
    /// Index into [`super::PairSpec::backbones`].
    pub backbone: usize,
    /// The first (largest) timestep evaluated.
    pub first: u32,
    /// The last (smallest) timestep evaluated.
    pub last: u32,
}

/// Phases that do not cover every training timestep exactly once.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PhaseError {
    /// No phase at all.
    #[error("there are no phases -- name at least one, e.g. deep:{steps}")]
    Empty {
        /// Training timesteps of the process.
        steps: u32,
    },
}
