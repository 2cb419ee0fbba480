//! Values and the windows through which operators read them.

use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Serialize};

/// Identifies a value of one program; printed as `%7`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ValueId(u32);

impl ValueId {
    /// The id of the value at `index`.
    pub fn new(index: usize) -> Self {
        Self(u32::try_from(index).expect("invariant: fewer than 2^32 values"))
    }

    /// The position in [`super::Program::values`].
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for ValueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "%{}", self.0)
    }
}

/// One tensor per image, or one for all images.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Value {
    /// Shape without the batch axis.
    pub shape: Vec<usize>,
    /// Where the value comes from.
    pub origin: Origin,
}

impl Value {
    /// Elements of one tensor.
    pub fn elements(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether there is one tensor per image; otherwise there is one for all.
    pub fn is_batched(&self) -> bool {
        !matches!(self.origin, Origin::Param { .. } | Origin::Shared)
    }
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Origin {
    /// The noisy image x_t, `[C, H, W]`.
    Image,
    /// The sinusoidal embedding of the time that the network is fed, `[1, width]`: `[cos | sin]`, angle
    /// `time · exp(−ln 1e4 · i / (width / 2))`, computed on the host in float32.
    Sinusoid,
    /// The class label, rank 0.
    Label,
    /// The current step's entry, `[rows, columns]`, of a table that the prelude computed before sampling (the index is
    /// that of the prelude's output).
    StepTable(usize),
    /// A parameter, the same for all images.
    Param {
        /// Its key in the checkpoint.
        key: String,
        /// Its shape in the checkpoint: as many elements in the same order as the value, e.g. `[D, C, P, P]` for `[D, C·P·P]`.
        shape: Vec<usize>,
    },
    /// Written by an operator, once per image.
    Op,
    /// Written by an operator, once for all images (it depends on parameters and constants alone).
    Shared,
}

/// A rectangular window of a tokens value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operand {
    /// The value that is read.
    pub value: ValueId,
    /// The rows that are read.
    pub rows: Range<usize>,
    /// The columns that are read.
    pub columns: Range<usize>,
}

impl Operand {
    /// `[rows, columns]` of the window.
    pub fn shape(&self) -> [usize; 2] {
        [self.rows.len(), self.columns.len()]
    }

    /// The window `rows` × `columns` of this window.
    pub fn window(&self, rows: Range<usize>, columns: Range<usize>) -> Self {
        Self {
            value: self.value,
            rows: self.rows.start + rows.start..self.rows.start + rows.end,
            columns: self.columns.start + columns.start..self.columns.start + columns.end,
        }
    }
}
