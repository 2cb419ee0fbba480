//! Why an executor could not be set up.

use super::Misfit;
use crate::executor::Fault;
use crate::launch::{LaunchError, Precision};
use crate::target::Sm;

/// Where drivers come from.
const DRIVER: &str = "install the NVIDIA driver 580 or newer (https://www.nvidia.com/drivers), or use --device cpu";

/// Why an executor could not be set up.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CudaError {
    /// No library of the driver.
    #[error("no NVIDIA driver was found (libcuda.so.1) -- {DRIVER}")]
    NoDriver,
    /// A library without a function that is needed.
    #[error("the NVIDIA driver is too old: it lacks {name} -- {DRIVER}")]
    OldDriver {
        /// The function.
        name: &'static str,
    },
    /// A driver without a GPU.
    #[error("the NVIDIA driver finds no GPU -- use --device cpu")]
    NoDevice,
    /// A number that no GPU has.
    #[error("there is no GPU {found}, the machine has {count} -- use --device cuda:0")]
    Ordinal {
        /// As asked.
        found: usize,
        /// Number of GPUs.
        count: usize,
    },
    /// Kernels that do not run on this machine.
    #[error(transparent)]
    Misfit(#[from] Misfit),
    /// No kernels at all.
    #[error("there are no kernels for a GPU -- make the bundle again with duodiff compile --target {target}")]
    NoKernels {
        /// What the GPU needs.
        target: Sm,
    },
    /// Modules that are not those of the plan.
    #[error(
        "the kernels for {target} lack {module}, which {precision} needs -- make the bundle again with duodiff compile --target {target}"
    )]
    Module {
        /// What the kernels are for.
        target: Sm,
        /// The module.
        module: &'static str,
        /// The precision.
        precision: Precision,
    },
    /// A module that is damaged.
    #[error("{module} for {target} is no whole ELF file -- make the bundle again with duodiff compile --target {target}")]
    Cubin {
        /// What it is for.
        target: Sm,
        /// The module.
        module: &'static str,
    },
    /// Not enough memory on the GPU.
    #[error("the run needs {needed} bytes on the GPU, {free} are free -- take a smaller batch")]
    Memory {
        /// Bytes that are needed.
        needed: u64,
        /// Bytes that are free.
        free: u64,
    },
    /// A batch of nothing.
    #[error("batch is 0, at least 1 is needed")]
    Zero,
    /// A plan or a batch that the kernels do not take.
    #[error(transparent)]
    Launch(#[from] LaunchError),
    /// Weights that are not the plan's.
    #[error("{backbone}: {key} {why}")]
    Weights {
        /// The backbone; the plan's first where a whole set is missing.
        backbone: String,
        /// The tensor.
        key: String,
        /// What is wrong.
        why: String,
    },
    /// A device that failed.
    #[error(transparent)]
    Device(#[from] Fault),
}

impl CudaError {
    /// What it means that the driver cannot be initialized.
    pub(super) fn from_init(fault: Fault) -> Self {
        if fault.name == "CUDA_ERROR_NO_DEVICE" { Self::NoDevice } else { Self::Device(fault) }
    }

    /// Whether the machine lacks what a bundle needs, rather than having failed.
    pub fn is_misfit(&self) -> bool {
        use CudaError::{Misfit, Module, NoDevice, NoDriver, NoKernels, OldDriver, Ordinal};
        matches!(self, NoDriver | OldDriver { .. } | NoDevice | Ordinal { .. } | Misfit(_) | NoKernels { .. } | Module { .. })
    }
}
