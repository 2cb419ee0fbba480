//! The executor for NVIDIA GPUs: cubins launched through the driver, which is looked for at run time.
//!
//! Weights are uploaded once. A step of each backbone is captured as a graph and replayed asynchronously; which step it is, the solver's
//! rows and the tables of times lie on the GPU, so that the host waits once per trajectory.

mod arguments;
#[cfg(feature = "bench")]
pub mod bench;
mod context;
mod device;
mod driver;
mod elf;
mod error;
mod executor;
mod fit;
mod folded;
mod gpu;
mod graph;
mod loaded;
mod markers;
mod memory;
mod module;
mod places;
mod predict;
mod state;
mod stopwatch;
mod tables;
mod tensor;
mod trajectory;
mod weights;

pub use device::{DeviceRecord, devices};
pub use error::CudaError;
pub use executor::{Cuda, Options};
pub use fit::{CUDA, Misfit, best, choose, fit};
pub use gpu::Gpu;
pub use predict::Memory;
