//! From a declared pair to a static plan, and the executors that run it.
//!
//! The modules stand in the order of the data flow; each uses only those above it.

pub mod spec;

pub mod target;

pub mod process;

pub mod noise;

pub mod program;

#[cfg(feature = "compile")]
pub mod build;

mod pair;
pub use pair::Pair;

#[cfg(feature = "compile")]
pub mod raise;

pub mod passes;

pub mod plan;

pub mod null;

pub mod launch;

#[cfg(feature = "compile")]
pub mod compile;

pub mod weights;

pub mod interpret;

pub mod emit;

pub mod bundle;

pub mod executor;

pub mod cpu;

pub mod cuda;

pub mod verify;

pub mod sampler;

#[cfg(test)]
mod tests;
