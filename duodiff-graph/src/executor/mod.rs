//! What every executor offers: single evaluations, and whole trajectories.

pub(crate) mod check;
mod traced;

pub use traced::Traced;

use std::ops::ControlFlow;

use crate::launch::LaunchError;
use crate::noise::Noise;
use crate::plan::Plan;
use crate::process::Steps;

/// Runs a plan with its weights.
pub trait Executor {
    /// The plan.
    fn plan(&self) -> &Plan;

    /// The largest number of images per call.
    fn batch(&self) -> usize;

    /// One evaluation of a backbone: `out = net(x, t, label)`.
    ///
    /// `x`, `out`: `[n, C, H, W]`; `times`: `[n]`, training timesteps as the process counts them (the pair's time map is
    /// applied here); `labels`: `[n]`, for conditional pairs only; n ≤ [`Self::batch`].
    fn forward(&mut self, backbone: usize, x: &[f32], times: &[f32], labels: Option<&[u32]>, out: &mut [f32]) -> Result<(), ExecutorError>;

    /// Samples images along `steps`. `images` holds n ≤ [`Self::batch`] requests; the result is `[n, C, H, W]`.
    ///
    /// `watch` is called after each step (where the executor can) with the number of steps done; `Break` ends the
    /// trajectory with [`ExecutorError::Stopped`].
    fn trajectory(
        &mut self,
        steps: &Steps,
        images: &[Request],
        noise: &dyn Noise,
        watch: &mut dyn FnMut(usize) -> ControlFlow<()>,
    ) -> Result<Vec<f32>, ExecutorError>;
}

/// One image that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// Global index of the image: with the seed, it keys its noise.
    pub index: u64,
    /// Class label, for conditional pairs.
    pub label: Option<u32>,
}

/// Why an executor could not run.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ExecutorError {
    /// The watcher ended the trajectory.
    #[error("stopped after {done} steps")]
    Stopped {
        /// Steps done.
        done: usize,
    },
    /// An argument has the wrong size.
    #[error("{what} has {found} elements, {wanted} are needed")]
    Size {
        /// The argument.
        what: &'static str,
        /// Its length.
        found: usize,
        /// The length that fits.
        wanted: usize,
    },
    /// A backbone that the plan does not have.
    #[error("backbone {found} is out of range, the plan has {count}")]
    Backbone {
        /// The index that was given.
        found: usize,
        /// Backbones of the plan.
        count: usize,
    },
    /// Labels missing, superfluous or out of range.
    #[error("{0}")]
    Label(String),
    /// Noise that a device cannot draw by itself.
    #[error("this executor draws its noise on the device, by Philox4x32-10 only -- use the CPU for other noise")]
    Noise,
    /// More steps or images than a device counts.
    #[error(transparent)]
    Launch(#[from] LaunchError),
    /// A device that failed. Nothing of the call's result is left.
    #[error(transparent)]
    Device(#[from] Fault),
}

/// A call of a device's driver that failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the device failed: {call} returned {name} ({code})")]
pub struct Fault {
    /// The driver's function.
    pub call: &'static str,
    /// What it returned.
    pub code: u32,
    /// The driver's name for that.
    pub name: String,
}
