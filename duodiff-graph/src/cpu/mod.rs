//! From a plan and weights to images on the CPU: weights packed once, fused kernels, one pool of threads, equal bits always.
//!
//! Each element of a product is one chain of fused multiply-adds over k ascending from 0; each reduction of a row runs in 16
//! virtual lanes (column modulo 16) and a fixed tree. So instruction set, threads, tiles, batch and position change no bit.

mod batch;
#[cfg(any(test, feature = "bench"))]
#[doc(hidden)]
pub mod bench;
mod buffer;
mod error;
mod executor;
mod frame;
mod kernels;
mod machine;
mod math;
mod memory;
mod params;
mod pool;
mod rows;
mod simd;
mod tables;
#[cfg(test)]
mod tests;
mod trajectory;
mod views;

pub use batch::efficient_batch;
pub use error::CpuError;
pub use executor::{Cpu, Options};
pub use memory::Memory;
pub use simd::Isa;
