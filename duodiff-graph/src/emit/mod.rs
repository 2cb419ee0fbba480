//! From a plan to the machine code of its kernels: which modules it needs, one self-contained CUDA C++ text for each, and a cubin
//! of each text for each kind of GPU, made by nvcc or NVRTC or found in a cache.
//!
//! A cubin is a function of source, flags, target and compiler: neither the folder nor the number of threads changes a byte.

mod cache;
mod cubins;
mod error;
mod kernels;
#[cfg(test)]
mod tests;
mod toolchain;
mod unit;

pub use cache::Cache;
pub use cubins::{Cubin, Event, Job, Options, cubins};
pub use error::{EmitError, INSTALL, INSTALL_DISASSEMBLER};
pub use kernels::{File, KERNELS};
pub use toolchain::{Compiler, Nvcc, Nvrtc, Search, Toolchain};
pub use unit::{Unit, units};
