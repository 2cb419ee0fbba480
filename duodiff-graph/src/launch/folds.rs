//! Layer norms folded into the product behind them, in bfloat16: one launch and two passes over the rows less.
//!
//! `norm(x) · Wᵀ + b = scale · (x · W'ᵀ − mean · sums) + b'`, where W' is the weight times the norm's gain, `sums` are those of its rows, and
//! b' is the bias and the weight times the norm's shift. The product that writes x leaves the statistics that mean and scale follow
//! from behind x's last row, one entry for each [`PART`] columns of a row.

use std::collections::BTreeSet;

use super::Element;
use crate::program::{Linear, Op, Operand, Origin, Program, RowNorm, ValueId};

/// Columns that share an entry of statistics.
pub(super) const PART: usize = 32;

/// Bytes of an entry: a mean and a sum of squares.
pub(super) const ENTRY: usize = 8;

/// Columns that tensor-core kernels read at a time.
const CHUNK: usize = 8;

/// A parameter of a product that a norm is folded into, made of the checkpoint's when weights are loaded.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Folded {
    /// Which.
    pub part: FoldedPart,
    /// Key of the weight, `[n, k]`.
    pub weight: String,
    /// Of the norm's gain, `[k]`.
    pub gain: Option<String>,
    /// Of the norm's shift, `[k]`.
    pub shift: Option<String>,
    /// Of the bias, `[n]`.
    pub bias: Option<String>,
}

/// What the parameters of a product become.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FoldedPart {
    /// `weight · gain`, rounded to bfloat16.
    Weight,
    /// `bias + weight · shift`, float32.
    Bias,
    /// Sums of the rows of the rounded `weight · gain`, float32.
    Sums,
}

impl FoldedPart {
    /// The type of its elements.
    pub fn element(self) -> Element {
        match self {
            Self::Weight => Element::Bf16,
            Self::Bias | Self::Sums => Element::F32,
        }
    }
}

/// The values that need statistics behind them: those that a norm reads that can be folded.
pub(super) fn summed(program: &Program) -> BTreeSet<ValueId> {
    let linears = || program.ops.iter().filter_map(|op| if let Op::Linear(linear) = op { Some(linear) } else { None });
    let written: BTreeSet<_> = linears().filter(|linear| can_sum(program, linear)).map(|linear| linear.out).collect();
    let read = linears().filter(|linear| can_fold(program, linear)).map(|linear| linear.sources[0].value);
    read.filter(|value| written.contains(value)).collect()
}

/// Whether a product's norm is folded, where the values `summed` have statistics.
pub(super) fn is_folded(program: &Program, linear: &Linear, summed: &BTreeSet<ValueId>) -> bool {
    can_fold(program, linear) && summed.contains(&linear.sources[0].value)
}

/// Whether a product can leave statistics of what it writes.
fn can_sum(program: &Program, linear: &Linear) -> bool {
    let columns = program.whole(linear.out).columns.len();
    let is_output = program.outputs.contains(&linear.out);
    is_on_tensor_cores(program, linear) && linear.activation.is_none() && columns.is_multiple_of(PART) && !is_output
}

/// Whether a product can make up for the norm of its only source.
fn can_fold(program: &Program, linear: &Linear) -> bool {
    let (Some(RowNorm { gain, shift, .. }), [x]) = (&linear.norm, &linear.sources[..]) else { return false };
    let mut params = [Some(linear.weight), linear.bias, *gain, *shift].into_iter().flatten();
    let is_whole = x.columns == program.whole(x.value).columns && x.columns.len().is_multiple_of(PART);
    is_whole && is_on_tensor_cores(program, linear) && params.all(|id| key(program, id).is_some())
}

/// Whether tensor cores can read what a product reads.
fn is_on_tensor_cores(program: &Program, linear: &Linear) -> bool {
    let is_aligned = |x: &Operand| {
        let width = program.whole(x.value).columns.len();
        [width, x.columns.start, x.columns.len()].into_iter().all(|columns| columns.is_multiple_of(CHUNK))
    };
    linear.sources.iter().all(is_aligned)
}

/// The key of a parameter.
pub(super) fn key(program: &Program, id: ValueId) -> Option<String> {
    if let Origin::Param { key, .. } = &program.value(id).origin { Some(key.clone()) } else { None }
}
