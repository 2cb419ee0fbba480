//! The executor for GPUs on a driver without one, its kernels on the emulator, against the executor for CPUs.
//!
//! Where there is no C++ compiler, or elsewhere than on Linux, the tests say so and pass.

#[path = "../common/mod.rs"]
mod common;
mod faults;
mod fit;
mod forward;
mod kit;
mod launches;
mod memory;
mod trajectory;
