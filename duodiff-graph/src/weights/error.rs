//! Why weights were refused.

use std::io;

use super::tensors::FileError;
use crate::spec::text::echo;

/// Weights that do not fit, or a file that is none.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// The file could not be read.
    #[error("reading the weights: {0}")]
    Read(#[from] io::Error),
    /// The file is malformed.
    #[error(transparent)]
    File(#[from] FileError),
    /// Not one file per backbone.
    #[error("{found} files of weights were given, {} are needed -- one for each of {}, in this order", wanted.len(), wanted.join(", "))]
    Files {
        /// Number of files.
        found: usize,
        /// The backbones.
        wanted: Vec<String>,
    },
    /// The file fits another backbone of the pair.
    #[error("these are weights of `{found}`, `{wanted}` was asked for -- swap the files of the two")]
    Swapped {
        /// The backbone that the file fits.
        found: String,
        /// The backbone that it was given for.
        wanted: String,
    },
    /// A parameter that the file lacks.
    #[error("tensor `{name}` {shape:?} of `{backbone}` is missing{and} -- {mend}", and = and_more(*.more), name = echo(name))]
    Missing {
        /// The backbone.
        backbone: String,
        /// Checkpoint key.
        name: String,
        /// Its shape.
        shape: Vec<usize>,
        /// How many more are missing.
        more: usize,
        /// What to do.
        mend: String,
    },
    /// A tensor that no parameter wants.
    #[error("tensor `{name}` {shape:?} is none of `{backbone}`{and} -- give a file of this backbone alone", and = and_more(*.more), name = echo(name))]
    Superfluous {
        /// The backbone.
        backbone: String,
        /// The tensor.
        name: String,
        /// Its shape.
        shape: Vec<usize>,
        /// How many more are superfluous.
        more: usize,
    },
    /// A tensor of another shape.
    #[error("tensor `{name}` has shape {found:?}, `{backbone}` wants {wanted:?} -- give weights trained with these sizes", name = echo(name))]
    Shape {
        /// The backbone.
        backbone: String,
        /// Checkpoint key.
        name: String,
        /// Shape in the file.
        found: Vec<usize>,
        /// Shape of the parameter.
        wanted: Vec<usize>,
    },
    /// A tensor of a type that is no weight.
    #[error("tensor `{name}` is {found}, weights are F32, F16 or BF16 -- convert it", name = echo(name))]
    Dtype {
        /// Checkpoint key.
        name: String,
        /// Its type.
        found: &'static str,
    },
    /// A NaN or an infinity.
    #[error("tensor `{name}` holds {found} at element {element} -- weights must be finite, take an earlier checkpoint", name = echo(name))]
    NotFinite {
        /// Checkpoint key.
        name: String,
        /// Which element, row by row.
        element: usize,
        /// What it is.
        found: f32,
    },
}

/// ` (and 3 more)`, or nothing.
fn and_more(count: usize) -> String {
    if count == 0 { String::new() } else { format!(" (and {count} more)") }
}
