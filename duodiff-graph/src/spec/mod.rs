//! What a pair declares, as plain data: this is what the macro emits and what a bundle stores.

mod pair;
mod phase;
mod process;
pub mod text;

pub use pair::{BackboneSpec, Classes, Guidance, History, ImageShape, PairSpec, Prediction, TimeMap};
pub use phase::{Phase, PhaseError};
pub use process::{Betas, Process};
