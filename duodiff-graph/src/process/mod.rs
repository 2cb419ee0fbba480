//! From a declared process, a solver, a number of steps and phases to the table that a trajectory follows.

mod error;
mod levels;
mod rows;
mod settings;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use error::StepsError;
pub use levels::Levels;
pub use rows::grid;
pub use settings::{Settings, Solver};

/// A trajectory: one row per evaluation, in sampling order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Steps {
    /// The rows.
    pub rows: Vec<Row>,
    /// Strength of classifier-free guidance; 0 evaluates each step once.
    pub guidance: f32,
}

impl Steps {
    /// How often each of `backbones` backbones is evaluated (guidance not counted: both evaluations of a step share its tables).
    pub fn evaluations(&self, backbones: usize) -> Vec<usize> {
        let count = |backbone| self.rows.iter().filter(|row| row.backbone == backbone).count();
        (0..backbones).map(count).collect()
    }
}

/// Longest history of converted outputs that a row may use, the current one included.
pub const HISTORY: usize = 3;

/// One step: `m = a·x + b·f`, clipped to ±clip if given; push m; `x' = c0·x + cs·s + Σ ci·mi + cz·z`; if `save`, s = x
/// (the state before the update).
///
/// m is the clean image that f stands for, or f itself (a = 0, b = 1) where no step needs the clean image: f is the
/// network's output, s the saved state, `mi` the i-th most recent m (m0 is this step's), z standard normal.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Index of the backbone that is evaluated.
    pub backbone: usize,
    /// The training timestep of the evaluation, in the pair's process.
    pub t: f32,
    /// What the network is fed as time.
    pub time: f32,
    /// Factor of x where the network is fed `scale · x` (1, but for SNR stitching).
    pub scale: f32,
    /// Factor of x in m.
    pub a: f32,
    /// Factor of f in m.
    pub b: f32,
    /// Bound of |m|.
    pub clip: Option<f32>,
    /// Factor of x.
    pub c0: f32,
    /// Factor of the saved state.
    pub cs: f32,
    /// Factors of the history, most recent first.
    pub history: [f32; HISTORY],
    /// Factor of the noise; no noise is drawn where it is 0.
    pub cz: f32,
    /// Keep x, as it was before this update, as the saved state.
    pub save: bool,
}
