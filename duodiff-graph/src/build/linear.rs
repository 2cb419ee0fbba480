//! `linear`: tokens times a weight, with or without bias.

use luminal::prelude::{Axes2, Const, Dimension, GraphTensor, Matmul};

use super::{Batch, Builder, Tensor, Tokens};

/// Whether a linear has a bias.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bias {
    /// `KEY.bias`, `[O]`.
    With,
    /// None.
    Without,
}

/// `y = x · weightᵀ (+ bias)`: `[L, I]` → `[L, O]`; parameters `KEY.weight` `[O, I]` and `KEY.bias` `[O]`.
#[inline(never)]
pub fn linear<const L: usize, const I: usize, const O: usize>(b: &mut Builder, x: &Tokens<L, I>, key: &str, bias: Bias) -> Tokens<L, O> {
    project(b, x, key, bias, &[O, I])
}

/// [`linear`] whose weight has another shape in the checkpoint.
#[inline(never)]
pub(crate) fn project<const L: usize, const I: usize, const O: usize>(
    b: &mut Builder,
    x: &Tokens<L, I>,
    key: &str,
    bias: Bias,
    checkpoint: &[usize],
) -> Tokens<L, O> {
    let weight = b.parameter::<(Const<O>, Const<I>)>(&format!("{key}.weight"), vec![O, I], checkpoint);
    let product = formula(x.dense(), weight);
    Tensor::new(match bias {
        Bias::Without => product,
        Bias::With => formula_bias(product, b.parameter::<(Const<O>,)>(&format!("{key}.bias"), vec![O], &[O])),
    })
}

/// `x · weightᵀ`.
#[inline(never)]
pub(crate) fn formula<L: Dimension, I: Dimension, O: Dimension>(
    x: GraphTensor<(Batch, L, I)>,
    weight: GraphTensor<(O, I)>,
) -> GraphTensor<(Batch, L, O)> {
    x.matmul(weight.permute::<(I, O), Axes2<1, 0>>())
}

/// `x + bias`, one bias for every row.
#[inline(never)]
pub(crate) fn formula_bias<L: Dimension, O: Dimension>(
    x: GraphTensor<(Batch, L, O)>,
    bias: GraphTensor<(O,)>,
) -> GraphTensor<(Batch, L, O)> {
    x + bias.expand::<(Batch, L, O), Axes2<0, 1>>()
}
