//! Operators that only move elements.

use crate::program::{Embedding, Join, JoinAxis, Patchify, Slice, Unpatchify};

use super::InterpretError;
use super::scope::Scope;

/// The parts one after the other along an axis.
pub(super) fn join(op: &Join, scope: &Scope, out: &mut [f64]) {
    let parts: Vec<_> = op.parts.iter().map(|part| scope.window(part)).collect();
    let rows: Vec<Vec<f64>> = match op.axis {
        JoinAxis::Rows => parts.iter().flat_map(|part| (0..part.rows()).map(|row| part.row(row).to_vec())).collect(),
        JoinAxis::Columns => (0..parts[0].rows()).map(|row| parts.iter().flat_map(|part| part.row(row)).copied().collect()).collect(),
    };
    for (out, row) in out.chunks_mut(rows[0].len()).zip(&rows) {
        out.copy_from_slice(row);
    }
}

/// A copy of a window.
pub(super) fn slice(op: &Slice, scope: &Scope, out: &mut [f64]) {
    let x = scope.window(&op.x);
    for (index, out) in out.chunks_mut(x.columns()).enumerate() {
        out.copy_from_slice(x.row(index));
    }
}

/// `out = table[label]`, `[1, D]`.
pub(super) fn embedding(op: &Embedding, scope: &Scope, out: &mut [f64]) -> Result<(), InterpretError> {
    let table = scope.whole(op.table);
    // Labels enter as u32, which float64 holds exactly.
    let label = scope.whole(op.label)[0] as usize;
    let row = table.chunks(out.len()).nth(label);
    out.copy_from_slice(row.ok_or(InterpretError::Label { label: label as u32, classes: table.len() / out.len() })?);
    Ok(())
}

/// Patches as rows: row `(i, j)` holds `[C, P, P]`.
pub(super) fn patchify(op: &Patchify, scope: &Scope, out: &mut [f64]) {
    let image = scope.whole(op.image);
    let shape = &scope.program.value(op.image).shape;
    let (height, width, patch) = (shape[1], shape[2], op.patch);
    for (index, x) in image.iter().enumerate() {
        let (channel, y, x_at) = (index / (height * width), index / width % height, index % width);
        let row = y / patch * (width / patch) + x_at / patch;
        let column = (channel * patch + y % patch) * patch + x_at % patch;
        out[row * shape[0] * patch * patch + column] = *x;
    }
}

/// An image of patches: row `(i, j)` holds `[P, P, C]`.
pub(super) fn unpatchify(op: &Unpatchify, scope: &Scope, out: &mut [f64]) {
    let x = scope.window(&op.x);
    let shape = &scope.program.value(op.out).shape;
    let (channels, height, width, patch) = (shape[0], shape[1], shape[2], op.patch);
    for (index, out) in out.iter_mut().enumerate() {
        let (channel, y, x_at) = (index / (height * width), index / width % height, index % width);
        let row = y / patch * (width / patch) + x_at / patch;
        *out = x.row(row)[(y % patch * patch + x_at % patch) * channels + channel];
    }
}
