//! Forwards and trajectories against recorded outputs of the PyTorch reference, and proof that the bounds are sharp.

#[path = "../common/mod.rs"]
mod common;

mod forward;
mod sharp;
mod trained;
mod trajectory;
