//! A CUDA driver without a GPU: the entry points that the executor calls, with the host's memory as the device's.
//!
//! What is put into a stream runs when somebody waits for it, as late as on a device. A module is either a real cubin, whose kernels are
//! looked up and recorded, or an object that `tests/emulator` makes of the same source, whose kernels are executed. Every address is
//! checked before it is touched, fresh memory is full of NaN, and all calls can be counted, listed and made to fail.
//!
//! Processes other than the tests' own are told by variables: `FAKE_CUDA_DEVICES` (see [`devices`]), `FAKE_CUDA_FAIL` (the call
//! that fails, counted from 1; with `+` in front, all from there on), `FAKE_CUDA_LOG` (a file that the log goes to).

mod api;
pub mod code;
pub mod control;
pub mod devices;
mod elf;
mod launch;
mod library;
mod log;
mod memory;
mod state;
mod stream;
pub mod tensor;
#[cfg(test)]
mod tests;

pub use control::{Driver, install};
