//! The bytes on the GPU that an executor takes, known before anything is allocated.

use super::state::State;
use super::weights::Layout;
use super::{CudaError, tables, trajectory};
use crate::launch::DevicePlan;
use crate::plan::Plan;

/// Bytes on the GPU, by purpose: all that an executor asks of the driver. Kernels, contexts and graphs are the driver's own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// All values that operators write.
    pub arena: u64,
    /// Weights as the kernels read them.
    pub weights: u64,
    /// States, outputs and history of a trajectory.
    pub state: u64,
    /// Tables of all backbones, an entry for each step that evaluates the backbone, and the solver's rows.
    pub tables: u64,
}

impl Memory {
    /// What an executor of `batch` images takes for a trajectory that evaluates each backbone so often
    /// ([`Steps::evaluations`](crate::process::Steps::evaluations)). Tables of earlier trajectories that were longer are kept.
    pub fn predict(plan: &Plan, device: &DevicePlan, batch: usize, evaluations: &[usize]) -> Result<Self, CudaError> {
        let tables: u64 = evaluations.iter().enumerate().map(|(backbone, steps)| tables::bytes(device, backbone, *steps)).sum();
        Ok(Self {
            arena: (device.arena * batch) as u64,
            weights: Layout::new(plan, device)?.bytes,
            state: State::bytes(device.image.elements(), batch),
            tables: tables + trajectory::row_bytes(evaluations.iter().sum()),
        })
    }

    /// The sum.
    pub fn total(self) -> u64 {
        self.arena + self.weights + self.state + self.tables
    }
}
