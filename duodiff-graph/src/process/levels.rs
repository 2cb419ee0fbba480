//! From betas to signal levels: ᾱ of every training timestep, in float64.

use std::f64::consts::FRAC_PI_2;

use super::StepsError;
use crate::spec::{Betas, Process};

/// The most timesteps of a process.
const MOST: u32 = 100_000;

/// Largest β of the cosine rule (Nichol and Dhariwal 2021).
const COSINE_CAP: f64 = 0.999;

/// Offset of the cosine rule (Nichol and Dhariwal 2021).
const COSINE_OFFSET: f64 = 0.008;

/// The signal levels of a process: x_t = √ᾱ·x0 + √(1−ᾱ)·ε.
#[derive(Clone, Debug, PartialEq)]
pub struct Levels {
    /// ᾱ by timestep, falling.
    bars: Vec<f64>,
}

impl Levels {
    /// Multiplies 1 − β up, timestep by timestep.
    pub fn new(process: Process) -> Result<Self, StepsError> {
        if !(1..=MOST).contains(&process.steps) {
            return Err(StepsError::Timesteps { found: process.steps, most: MOST });
        }
        let mut bar = 1.0;
        let next = |t| {
            let beta = beta(process, t);
            if !(beta > 0.0 && beta < 1.0) {
                return Err(StepsError::Beta { t, found: beta });
            }
            bar *= 1.0 - beta;
            Ok(bar)
        };
        Ok(Self { bars: (0..process.steps).map(next).collect::<Result<_, _>>()? })
    }

    /// ᾱ at timestep `t`; 1, the clean image, before the first.
    pub fn bar(&self, t: Option<u32>) -> f64 {
        t.map_or(1.0, |t| self.bars[t as usize])
    }

    /// The log-SNR ln(ᾱ / (1 − ᾱ)) at timestep `t`.
    pub fn log_snr(&self, t: u32) -> f64 {
        let bar = self.bars[t as usize];
        libm::log(bar / (1.0 - bar))
    }

    /// The real timestep of log-SNR `wanted`, interpolated linearly in log-SNR; `None` out of range.
    pub fn timestep(&self, wanted: f64) -> Option<f64> {
        let last = u32::try_from(self.bars.len() - 1).expect("invariant: at most 100,000 timesteps");
        let (high, low) = (self.log_snr(0), self.log_snr(last));
        if !(low..=high).contains(&wanted) {
            return None;
        }
        let timesteps: Vec<u32> = (0..=last).collect();
        let after = timesteps.partition_point(|t| self.log_snr(*t) > wanted);
        let Some(before) = after.checked_sub(1) else { return Some(0.0) };
        let (high, low) = (self.log_snr(timesteps[before]), self.log_snr(timesteps[after]));
        Some(before as f64 + (high - wanted) / (high - low))
    }

    /// Number of timesteps.
    pub fn count(&self) -> u32 {
        u32::try_from(self.bars.len()).expect("invariant: at most 100,000 timesteps")
    }
}

/// β at timestep `t`.
fn beta(process: Process, t: u32) -> f64 {
    let part = if process.steps == 1 { 0.0 } else { f64::from(t) / f64::from(process.steps - 1) };
    match process.betas {
        Betas::Linear { first, last } => first + part * (last - first),
        Betas::ScaledLinear { first, last } => {
            let root = first.sqrt() + part * (last.sqrt() - first.sqrt());
            root * root
        }
        Betas::Cosine => {
            let bar = |t: u32| {
                let part = f64::from(t) / f64::from(process.steps);
                let root = libm::cos((part + COSINE_OFFSET) / (1.0 + COSINE_OFFSET) * FRAC_PI_2);
                root * root
            };
            (1.0 - bar(t + 1) / bar(t)).min(COSINE_CAP)
        }
    }
}
