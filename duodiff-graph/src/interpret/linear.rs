//! Linear layers with everything that may be fused into them.

use crate::program::Linear;

use super::pointwise::activation;
use super::rows::normalize;
use super::scope::Scope;

/// `out = residual + f(norm(join_columns(sources)) · weightᵀ + bias)`, `[M, N]`.
pub(super) fn run(op: &Linear, scope: &Scope, out: &mut [f64]) {
    let sources: Vec<_> = op.sources.iter().map(|source| scope.window(source)).collect();
    let residual = op.residual.as_ref().map(|operand| scope.window(operand));
    let bias = op.bias.map(|id| scope.whole(id));
    let weight = scope.whole(op.weight);
    let depth: usize = sources.iter().map(|source| source.columns()).sum();
    let width = weight.len() / depth;
    for (index, out) in out.chunks_mut(width).enumerate() {
        let mut row: Vec<f64> = sources.iter().flat_map(|source| source.row(index)).copied().collect();
        if let Some(norm) = &op.norm {
            normalize(norm, scope, &mut row);
        }
        for (n, out) in out.iter_mut().enumerate() {
            let sum = dot(&row, &weight[n * depth..][..depth]) + bias.map_or(0.0, |bias| bias[n]);
            let active = op.activation.map_or(sum, |f| activation(f, sum));
            *out = residual.as_ref().map_or(0.0, |residual| residual.row(index)[n]) + active;
        }
    }
}

/// Σ aᵢ·bᵢ, in eight interleaved sums so that the compiler may use vector registers.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    let (chunks_a, chunks_b) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f64 = chunks_a.remainder().iter().zip(chunks_b.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in chunks_a.zip(chunks_b) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    sums.iter().sum::<f64>() + rest
}
