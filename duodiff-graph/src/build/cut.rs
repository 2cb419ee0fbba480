//! `columns` and `rows`: a window of tokens.

use luminal::prelude::symbolic::Expression;
use luminal::prelude::{Const, GraphTensor, Shape};

use super::view::{Untyped, copied};
use super::{Batch, Tensor, Tokens};

/// Columns start..start + N: `[L, D]` → `[L, N]`.
///
/// # Panics
/// If they are not all there; the macro checks this.
#[inline(never)]
pub fn columns<const L: usize, const D: usize, const N: usize>(x: &Tokens<L, D>, start: usize) -> Tokens<L, N> {
    assert!(start + N <= D, "columns {start}..{} of {D}", start + N);
    Tensor::new(formula::<(Batch, Const<L>, Const<N>)>(x.dense().no_shape(), 2, start.into(), (start + N).into()))
}

/// Rows start..start + N: `[L, D]` → `[N, D]`.
///
/// # Panics
/// If they are not all there; the macro checks this.
#[inline(never)]
pub fn rows<const L: usize, const D: usize, const N: usize>(x: &Tokens<L, D>, start: usize) -> Tokens<N, D> {
    assert!(start + N <= L, "rows {start}..{} of {L}", start + N);
    Tensor::new(formula::<(Batch, Const<N>, Const<D>)>(x.dense().no_shape(), 1, start.into(), (start + N).into()))
}

/// A copy of start..end along an axis.
#[inline(never)]
pub(crate) fn formula<S: Shape>(x: Untyped, axis: usize, start: Expression, end: Expression) -> GraphTensor<S> {
    let mut view = x.shape;
    view.slices[axis] = (start, end);
    copied(x, view, &S::realized_shape())
}
