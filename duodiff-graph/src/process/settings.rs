//! What a user may choose about a trajectory: solver, steps, phases, guidance, clipping.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::StepsError;
use crate::spec::Phase;
use crate::spec::text::{echo, hint};

/// The names of the solvers.
const SOLVERS: [&str; 2] = ["ddpm", "ddim"];

/// Steps of DDIM where none are asked for.
const DDIM_STEPS: u32 = 50;

/// How the state moves from one evaluated timestep to the next.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Solver {
    /// Ancestral sampling (Ho et al. 2020) with the posterior variance β̃; over all timesteps, or strided over fewer.
    Ddpm,
    /// Denoising diffusion implicit models (Song et al. 2021).
    Ddim {
        /// Share of the ancestral noise: 0 is deterministic, 1 is DDPM.
        eta: f64,
    },
}

impl Solver {
    /// Steps where none are asked for: all timesteps for DDPM, 50 for DDIM.
    pub fn default_steps(self, timesteps: u32) -> u32 {
        match self {
            Self::Ddpm => timesteps,
            Self::Ddim { .. } => timesteps.min(DDIM_STEPS),
        }
    }

    /// Share of the ancestral noise that each step adds.
    pub(super) fn eta(self) -> f64 {
        match self {
            Self::Ddpm => 1.0,
            Self::Ddim { eta } => eta,
        }
    }
}

impl Default for Solver {
    fn default() -> Self {
        Self::Ddim { eta: 0.0 }
    }
}

impl fmt::Display for Solver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ddpm => f.write_str("ddpm"),
            Self::Ddim { eta: 0.0 } => f.write_str("ddim"),
            Self::Ddim { eta } => write!(f, "ddim (eta {eta})"),
        }
    }
}

impl FromStr for Solver {
    type Err = StepsError;

    /// `ddpm`, or `ddim` with eta 0.
    fn from_str(name: &str) -> Result<Self, StepsError> {
        match name {
            "ddpm" => Ok(Self::Ddpm),
            "ddim" => Ok(Self::default()),
            _ => Err(StepsError::Solver { found: echo(name), hint: hint(name, &SOLVERS) }),
        }
    }
}

/// The choices of one run; the default is what the pair declares, sampled by DDIM.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// The solver.
    pub solver: Solver,
    /// Number of evaluations; `None` takes [`Solver::default_steps`].
    pub steps: Option<u32>,
    /// Phases instead of the declared ones (see [`Phase::parse`]).
    pub phases: Option<Vec<Phase>>,
    /// Strength of classifier-free guidance instead of the declared one.
    pub guidance: Option<f32>,
    /// Bound of the estimated clean image at every step; `None` leaves it alone, as the published samplers do.
    pub clip: Option<f32>,
}
