//! `norm`: layer norm of each token, with or without gain and shift.

use luminal::prelude::{Axes2, Const, Dimension, GraphTensor};

use super::{Batch, Builder, Tensor, Tokens};

/// `y = (x − mean) / sqrt(variance + eps)` along each row, variance biased: `[L, D]` → `[L, D]`.
#[inline(never)]
pub fn norm<const L: usize, const D: usize>(x: &Tokens<L, D>, eps: f32) -> Tokens<L, D> {
    Tensor::new(formula(x.dense(), eps))
}

/// [`norm`], then `· gain + shift`: parameters `KEY.weight` and `KEY.bias`, both `[D]`.
#[inline(never)]
pub fn norm_affine<const L: usize, const D: usize>(b: &mut Builder, x: &Tokens<L, D>, key: &str, eps: f32) -> Tokens<L, D> {
    let gain = b.parameter::<(Const<D>,)>(&format!("{key}.weight"), vec![D], &[D]);
    let shift = b.parameter::<(Const<D>,)>(&format!("{key}.bias"), vec![D], &[D]);
    Tensor::new(formula_affine(formula(x.dense(), eps), gain, shift))
}

/// Layer norm along the last axis.
#[inline(never)]
pub(crate) fn formula<L: Dimension, D: Dimension>(x: GraphTensor<(Batch, L, D)>, eps: f32) -> GraphTensor<(Batch, L, D)> {
    x.layer_norm::<2, _>(eps)
}

/// `x · gain + shift`, the same for every row.
#[inline(never)]
pub(crate) fn formula_affine<L: Dimension, D: Dimension>(
    x: GraphTensor<(Batch, L, D)>,
    gain: GraphTensor<(D,)>,
    shift: GraphTensor<(D,)>,
) -> GraphTensor<(Batch, L, D)> {
    x * gain.expand::<(Batch, L, D), Axes2<0, 1>>() + shift.expand::<(Batch, L, D), Axes2<0, 1>>()
}
