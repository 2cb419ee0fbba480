//! Primitive operators: luminal's own, kept where no recogniser claimed them. They run, correct and slow.

use serde::{Deserialize, Serialize};

use super::ValueId;

/// One of luminal's primitive operators over views of its inputs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Primitive {
    /// The function.
    pub f: PrimitiveFn,
    /// One view per operand; all of one logical shape.
    pub inputs: Vec<View>,
    /// Contiguous, in logical order (a reduction drops its axis).
    pub out: ValueId,
}

/// The function of a primitive operator.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum PrimitiveFn {
    /// A constant, rank 0.
    Constant(f32),
    /// A copy in logical order.
    Contiguous,
    /// Base-2 logarithm.
    Log2,
    /// Base-2 exponential.
    Exp2,
    /// Sine.
    Sin,
    /// Square root.
    Sqrt,
    /// Reciprocal.
    Recip,
    /// Sum of two.
    Add,
    /// Product of two.
    Mul,
    /// Remainder of two.
    Mod,
    /// 1 where a < b, else 0.
    LessThan,
    /// Sum along a logical axis (the batch axis counts as 0).
    SumReduce(usize),
    /// Maximum along a logical axis (the batch axis counts as 0).
    MaxReduce(usize),
}

/// How a primitive reads a value: axes in storage order, and the order in which the logical shape takes them.
///
/// The value's own storage is `[batch?, shape…]`, row by row, without the broadcast axes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// The value that is read.
    pub value: ValueId,
    /// Axes in storage order.
    pub axes: Vec<Axis>,
    /// `order[i]` is the storage axis that is logical axis i.
    pub order: Vec<usize>,
}

/// One axis of a [`View`]: first padded with zeros, then sliced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Axis {
    /// Stored length; `None` is the batch.
    pub length: Option<usize>,
    /// Not stored: the same element for every index.
    pub broadcast: bool,
    /// Zeros before and after.
    pub padding: (usize, usize),
    /// First and last + 1 of the padded axis that are read; `None` is the whole axis.
    pub slice: Option<(usize, usize)>,
}

impl PrimitiveFn {
    /// Whether the function works on its operand as it is stored, whatever the order of the logical axes.
    pub fn is_unary(&self) -> bool {
        matches!(self, Self::Log2 | Self::Exp2 | Self::Sin | Self::Sqrt | Self::Recip)
    }

    /// The shape of the result, without the batch, given the first operand.
    pub fn shape(&self, first: &View) -> Vec<usize> {
        let mut shape = first.logical();
        if let Self::SumReduce(axis) | Self::MaxReduce(axis) = self {
            shape.remove(*axis);
        }
        shape.into_iter().flatten().collect()
    }
}

impl View {
    /// The logical shape; `None` is the batch.
    pub fn logical(&self) -> Vec<Option<usize>> {
        self.order.iter().map(|&axis| self.axes[axis].logical()).collect()
    }
}

impl Axis {
    /// All of a stored axis; `None` is the batch.
    pub fn whole(length: Option<usize>) -> Self {
        Self { length, broadcast: false, padding: (0, 0), slice: None }
    }

    /// How many elements are read; `None` is the batch.
    pub fn logical(&self) -> Option<usize> {
        self.length.map(|length| match self.slice {
            Some((start, end)) => end.min(self.padding.0 + length + self.padding.1).saturating_sub(start),
            None => self.padding.0 + length + self.padding.1,
        })
    }
}
