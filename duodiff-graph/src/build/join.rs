//! `join_tokens` and `join_features`: two tensors one after the other along an axis.

use luminal::op;
use luminal::prelude::{Const, GraphTensor, Shape};

use super::view::{Untyped, binary};
use super::{Batch, Tensor, Tokens};

/// Rows of a, then rows of b: `[L1, D]`, `[L2, D]` → `[L, D]`, L = L1 + L2.
#[inline(never)]
pub fn join_tokens<const L1: usize, const L2: usize, const L: usize, const D: usize>(a: &Tokens<L1, D>, b: &Tokens<L2, D>) -> Tokens<L, D> {
    const { assert!(L == L1 + L2, "the joined tokens are not as many as the parts have") };
    Tensor::new(formula::<(Batch, Const<L>, Const<D>)>(a.dense().no_shape(), b.dense().no_shape(), 1))
}

/// Columns of a, then columns of b: `[L, D1]`, `[L, D2]` → `[L, D]`, D = D1 + D2.
#[inline(never)]
pub fn join_features<const L: usize, const D1: usize, const D2: usize, const D: usize>(
    a: &Tokens<L, D1>,
    b: &Tokens<L, D2>,
) -> Tokens<L, D> {
    const { assert!(D == D1 + D2, "the joined features are not as many as the parts have") };
    Tensor::new(formula::<(Batch, Const<L>, Const<D>)>(a.dense().no_shape(), b.dense().no_shape(), 2))
}

/// The sum of a, with zeros behind it, and of b, with zeros before it.
#[inline(never)]
pub(crate) fn formula<S: Shape>(mut a: Untyped, mut b: Untyped, axis: usize) -> GraphTensor<S> {
    a.shape.padding[axis].1 = b.shape.dims[axis];
    b.shape.padding[axis].0 = a.shape.dims[axis];
    binary(op::Add, a, b, &S::realized_shape())
}
