//! Multi-head attention.

use crate::program::Attention;

use super::linear::dot;
use super::rows::softmax_row;
use super::scope::Scope;

/// `out = softmax(scale · q·kᵀ)·v` for each head, `[L, H·K]`.
pub(super) fn run(op: &Attention, scope: &Scope, out: &mut [f64]) {
    let (q, k, v) = (scope.window(&op.q), scope.window(&op.k), scope.window(&op.v));
    let width = q.columns();
    let head_width = width / op.heads;
    let mut scores = vec![0.0; k.rows()];
    for (index, out) in out.chunks_mut(width).enumerate() {
        for (head, out) in out.chunks_mut(head_width).enumerate() {
            let columns = head * head_width..(head + 1) * head_width;
            let query = &q.row(index)[columns.clone()];
            for (key, score) in scores.iter_mut().enumerate() {
                *score = f64::from(op.scale) * dot(query, &k.row(key)[columns.clone()]);
            }
            softmax_row(&mut scores);
            for (key, score) in scores.iter().enumerate() {
                for (out, v) in out.iter_mut().zip(&v.row(key)[columns.clone()]) {
                    *out += score * v;
                }
            }
        }
    }
}
