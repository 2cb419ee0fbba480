//! The diffusion process: how much noise each training timestep adds.

use serde::{Deserialize, Serialize};

/// A discrete diffusion process over training timesteps 0..steps.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Process {
    /// The rule of its betas.
    pub betas: Betas,
    /// Number of training timesteps.
    pub steps: u32,
}

/// The rule of a process's betas.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Betas {
    /// β evenly spaced from first to last (Ho et al. 2020).
    Linear {
        /// β at timestep 0.
        first: f64,
        /// β at the last timestep.
        last: f64,
    },
    /// √β evenly spaced from √first to √last (latent diffusion, U-ViT's discrete nets).
    ScaledLinear {
        /// β at timestep 0.
        first: f64,
        /// β at the last timestep.
        last: f64,
    },
    /// ᾱ follows a squared cosine (Nichol and Dhariwal 2021).
    Cosine,
}
