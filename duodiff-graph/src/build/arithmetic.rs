//! Sums and products: of two tokens, with one row for all, with a number.

use luminal::prelude::{Axis, Const, Dimension, GraphTensor, Shape};

use super::{Batch, Tensor, Tokens};

/// `y = a + b`, `[L, D]`.
#[inline(never)]
pub fn add<const L: usize, const D: usize>(a: &Tokens<L, D>, b: &Tokens<L, D>) -> Tokens<L, D> {
    Tensor::new(formula_add(*a.0, *b.0))
}

/// `y = a · b`, element by element, `[L, D]`.
#[inline(never)]
pub fn mul<const L: usize, const D: usize>(a: &Tokens<L, D>, b: &Tokens<L, D>) -> Tokens<L, D> {
    Tensor::new(formula_mul(*a.0, *b.0))
}

/// `y = x + row`, the row `[1, D]` added to each of x's, `[L, D]`.
#[inline(never)]
pub fn add_row<const L: usize, const D: usize>(x: &Tokens<L, D>, row: &Tokens<1, D>) -> Tokens<L, D> {
    Tensor::new(formula_add(*x.0, spread_token(row)))
}

/// `y = x · row`, each of x's rows multiplied by the row `[1, D]`, `[L, D]`.
#[inline(never)]
pub fn mul_row<const L: usize, const D: usize>(x: &Tokens<L, D>, row: &Tokens<1, D>) -> Tokens<L, D> {
    Tensor::new(formula_mul(*x.0, spread_token(row)))
}

/// `y = factor · x`, `[L, D]`.
#[inline(never)]
pub fn scale<const L: usize, const D: usize>(x: &Tokens<L, D>, factor: f32) -> Tokens<L, D> {
    Tensor::new(formula_scale(x.dense(), factor))
}

/// `y = x + summand`, `[L, D]`.
#[inline(never)]
pub fn offset<const L: usize, const D: usize>(x: &Tokens<L, D>, summand: f32) -> Tokens<L, D> {
    Tensor::new(formula_offset(x.dense(), summand))
}

#[inline(never)]
fn spread_token<const L: usize, const D: usize>(row: &Tokens<1, D>) -> GraphTensor<(Batch, Const<L>, Const<D>)> {
    spread_row(row.dense().reshape::<(Batch, Const<D>)>())
}

/// One row for every token.
#[inline(never)]
pub(crate) fn spread_row<L: Dimension, D: Dimension>(row: GraphTensor<(Batch, D)>) -> GraphTensor<(Batch, L, D)> {
    row.expand::<(Batch, L, D), Axis<1>>()
}

/// `a + b`.
#[inline(never)]
pub(crate) fn formula_add<S: Shape>(a: GraphTensor<S>, b: GraphTensor<S>) -> GraphTensor<S> {
    a + b
}

/// `a · b`.
#[inline(never)]
pub(crate) fn formula_mul<S: Shape>(a: GraphTensor<S>, b: GraphTensor<S>) -> GraphTensor<S> {
    a * b
}

/// `factor · x`.
#[inline(never)]
pub(crate) fn formula_scale<S: Shape>(x: GraphTensor<S>, factor: f32) -> GraphTensor<S> {
    x * factor
}

/// `x + summand`.
#[inline(never)]
pub(crate) fn formula_offset<S: Shape>(x: GraphTensor<S>, summand: f32) -> GraphTensor<S> {
    x + summand
}
