//! Operators with a reduction along each row: layer norm and softmax.

use crate::program::{Norm, RowNorm, Softmax};

use super::scope::Scope;

/// `out = norm(x)`, `[L, D]`.
pub(super) fn norm(op: &Norm, scope: &Scope, out: &mut [f64]) {
    let x = scope.window(&op.x);
    for (index, out) in out.chunks_mut(x.columns()).enumerate() {
        out.copy_from_slice(x.row(index));
        normalize(&op.norm, scope, out);
    }
}

/// `out = softmax(x)` along each row, `[L, D]`.
pub(super) fn softmax(op: &Softmax, scope: &Scope, out: &mut [f64]) {
    let x = scope.window(&op.x);
    for (index, out) in out.chunks_mut(x.columns()).enumerate() {
        out.copy_from_slice(x.row(index));
        softmax_row(out);
    }
}

/// `(x − mean) / sqrt(variance + eps) · gain + shift` in place.
pub(super) fn normalize(norm: &RowNorm, scope: &Scope, row: &mut [f64]) {
    let count = row.len() as f64;
    let mean = row.iter().sum::<f64>() / count;
    let variance = row.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / count;
    let deviation = (variance + f64::from(norm.eps)).sqrt();
    let gain = norm.gain.map(|id| scope.whole(id));
    let shift = norm.shift.map(|id| scope.whole(id));
    for (column, x) in row.iter_mut().enumerate() {
        *x = (*x - mean) / deviation * gain.map_or(1.0, |gain| gain[column]) + shift.map_or(0.0, |shift| shift[column]);
    }
}

/// Softmax of one row in place.
pub(super) fn softmax_row(row: &mut [f64]) {
    let highest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    for x in row.iter_mut() {
        *x = (*x - highest).exp();
    }
    let sum: f64 = row.iter().sum();
    for x in row.iter_mut() {
        *x /= sum;
    }
}
