//! Why no table of steps can be made.

use crate::spec::PhaseError;

/// Settings or a declaration that no trajectory follows from.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum StepsError {
    /// A number of steps that the process cannot give.
    #[error("{found} steps were asked for, the process has {most} timesteps -- use 1 to {most}")]
    Count {
        /// Steps asked for.
        found: u32,
        /// Training timesteps of the process.
        most: u32,
    },
    /// Phases that do not cover the process.
    #[error(transparent)]
    Phases(#[from] PhaseError),
    /// A solver that does not exist.
    #[error("there is no solver `{found}` -- {hint}")]
    Solver {
        /// What was asked for.
        found: String,
        /// What to write instead.
        hint: String,
    },
    /// An eta that is no number, negative, or asks for more noise than a step may add.
    #[error("eta is {found} -- these steps allow 0 (deterministic) to {:.4}", (most * 1e4).floor() / 1e4)]
    Eta {
        /// What was asked for.
        found: f64,
        /// The largest eta that leaves no step a negative variance.
        most: f64,
    },
    /// A process of no timesteps, or of absurdly many.
    #[error("the process has {found} timesteps -- declare 1 to {most}")]
    Timesteps {
        /// As declared.
        found: u32,
        /// The most that is accepted.
        most: u32,
    },
    /// A beta outside 0..1.
    #[error("beta is {found} at timestep {t} -- every beta must lie between 0 and 1")]
    Beta {
        /// The timestep.
        t: u32,
        /// Its beta.
        found: f64,
    },
    /// A prediction that the process does not fit.
    #[error("`predicts: flow` needs a straight path, and this process has betas -- declare epsilon, x0, previous or v")]
    Flow,
    /// Guidance for a pair that cannot be guided.
    #[error("guidance is {found}, but {lack} -- use guidance 0")]
    Guidance {
        /// What was asked for.
        found: f32,
        /// What the pair lacks.
        lack: &'static str,
    },
    /// Guidance that is no number.
    #[error("guidance is {found} -- it must be a finite number")]
    GuidanceNotFinite {
        /// What was asked for.
        found: f32,
    },
    /// A bound that is no positive number.
    #[error("the bound of the clean image is {found} -- use a positive number, e.g. 1")]
    Clip {
        /// What was asked for.
        found: f32,
    },
    /// The process of a backbone does not reach a signal level of the pair.
    #[error(
        "backbone `{name}` is to be evaluated at timestep {t} (log-SNR {found:.3}), but its own process covers {low:.3} to {high:.3} -- \
         give that timestep to another backbone"
    )]
    OutOfRange {
        /// The backbone.
        name: String,
        /// The pair's timestep.
        t: u32,
        /// Its log-SNR, ln(ᾱ / (1 − ᾱ)).
        found: f64,
        /// The smallest log-SNR of the backbone's process.
        low: f64,
        /// The largest one.
        high: f64,
    },
    /// A backbone with its own process predicts the previous state.
    #[error("backbone `{name}` predicts the previous state of its own process -- declare `predicts: epsilon`, `x0` or `v`")]
    Previous {
        /// The backbone.
        name: String,
    },
}
