//! Why an executor could not be set up.

use super::simd::Isa;

/// Why an executor could not be set up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CpuError {
    /// A number that must not be 0 is.
    #[error("{0} is 0, at least 1 is needed")]
    Zero(&'static str),
    /// An instruction set that the machine lacks.
    #[error("this machine lacks {0:?} -- leave the instruction set out to take the fastest that it has")]
    Isa(Isa),
    /// Not one set of weights per backbone.
    #[error("found weights for {found} backbones, the plan has {wanted}")]
    Backbones {
        /// Sets of weights.
        found: usize,
        /// Backbones of the plan.
        wanted: usize,
    },
    /// A tensor is not in the weights.
    #[error("{backbone}: {key} is missing from the weights, wanted {wanted:?}")]
    Missing {
        /// The backbone.
        backbone: String,
        /// The tensor.
        key: String,
        /// Its shape.
        wanted: Vec<usize>,
    },
    /// A tensor has another shape.
    #[error("{backbone}: {key} is {found:?}, wanted {wanted:?}")]
    Shape {
        /// The backbone.
        backbone: String,
        /// The tensor.
        key: String,
        /// Its shape in the weights.
        found: Vec<usize>,
        /// The shape that the plan needs.
        wanted: Vec<usize>,
    },
}
