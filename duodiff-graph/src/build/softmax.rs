//! `softmax` along each token.

use luminal::prelude::{Dimension, GraphTensor};

use super::{Batch, Tensor, Tokens};

/// `y = exp(x − max) / Σ exp(x − max)` along each row: `[L, D]` → `[L, D]`.
#[inline(never)]
pub fn softmax<const L: usize, const D: usize>(x: &Tokens<L, D>) -> Tokens<L, D> {
    Tensor::new(formula(x.dense()))
}

/// Softmax along the last axis.
#[inline(never)]
pub(crate) fn formula<L: Dimension, D: Dimension>(x: GraphTensor<(Batch, L, D)>) -> GraphTensor<(Batch, L, D)> {
    x.softmax::<2>()
}
