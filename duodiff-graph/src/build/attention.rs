//! `attention`: softmax attention over heads.

use luminal::prelude::{Axes4, Const, Dimension, GraphTensor, Matmul};

use super::{Batch, Tensor, Tokens};

/// `y = softmax(q·kᵀ / √K)·v` for each head: q `[L, D]`, k and v `[M, D]` → `[L, D]`; D = H·K, head h takes columns h·K..(h+1)·K.
#[inline(never)]
pub fn attention<const L: usize, const M: usize, const D: usize, const H: usize, const K: usize>(
    q: &Tokens<L, D>,
    k: &Tokens<M, D>,
    v: &Tokens<M, D>,
) -> Tokens<L, D> {
    const { assert!(D == H * K, "the width is not heads times head width") };
    Tensor::new(formula::<Const<L>, Const<M>, Const<D>, Const<H>, Const<K>>(q.dense(), k.dense(), v.dense(), 1.0 / (K as f32).sqrt()))
}

/// `[L, D]` seen as `[L, H, K]`.
#[inline(never)]
fn heads<L: Dimension, D: Dimension, H: Dimension, K: Dimension>(x: GraphTensor<(Batch, L, D)>) -> GraphTensor<(Batch, L, H, K)> {
    x.reshape::<(Batch, L, H, K)>()
}

/// `softmax(scale · q·kᵀ)`, `[H, L, M]`.
#[inline(never)]
fn weights<L: Dimension, M: Dimension, H: Dimension, K: Dimension>(
    q: GraphTensor<(Batch, L, H, K)>,
    k: GraphTensor<(Batch, M, H, K)>,
    scale: f32,
) -> GraphTensor<(Batch, H, L, M)> {
    let q = q.permute::<(Batch, H, L, K), Axes4<0, 2, 1, 3>>();
    let k = k.permute::<(Batch, H, K, M), Axes4<0, 2, 3, 1>>();
    (q.matmul(k) * scale).softmax::<3>()
}

/// Attention with any scale.
#[inline(never)]
pub(crate) fn formula<L: Dimension, M: Dimension, D: Dimension, H: Dimension, K: Dimension>(
    q: GraphTensor<(Batch, L, D)>,
    k: GraphTensor<(Batch, M, D)>,
    v: GraphTensor<(Batch, M, D)>,
    scale: f32,
) -> GraphTensor<(Batch, L, D)> {
    let weights = weights::<L, M, H, K>(heads(q), heads(k), scale);
    let v = heads::<M, D, H, K>(v).permute::<(Batch, H, M, K), Axes4<0, 2, 1, 3>>();
    weights.matmul(v).permute::<(Batch, L, H, K), Axes4<0, 2, 1, 3>>().reshape::<(Batch, L, D)>()
}
