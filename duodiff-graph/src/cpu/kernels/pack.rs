//! Matrices as the register tiles read them: weights in panels of 16 columns, rows of activations in groups of 12.

use super::norm::{RowNorm, moments};
use super::tile::{CHUNK, group_index, panel_floats};
use crate::cpu::buffer::Buffer;
use crate::cpu::rows::Rows;
use crate::cpu::simd::{Kernel, LANES, Simd};

/// A weight `[N, K]` as panels `[N/16][K][16]`, filled up with zero columns.
pub(in crate::cpu) fn weight(weight: &[f32], n: usize, k: usize) -> Buffer {
    let mut panels = Buffer::zeroed(panel_floats(n, k));
    for (panel, rows) in panels.floats_mut().chunks_exact_mut(k * LANES).zip(weight.chunks(LANES * k)) {
        for (lane, row) in rows.chunks_exact(k).enumerate() {
            for (to, from) in panel.chunks_exact_mut(LANES).zip(row) {
                to[lane] = *from;
            }
        }
    }
    panels
}

/// Packs rows `first..first + count` of the joined sources, normalised if asked.
pub(in crate::cpu) struct Group<'a> {
    pub sources: &'a [Rows],
    pub norm: Option<RowNorm<'a>>,
    pub first: usize,
    pub count: usize,
    pub out: &'a mut [f32],
}

impl Kernel for Group<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for row in 0..self.count {
            let mut k = 0;
            for source in self.sources {
                // SAFETY: the launch resolved the windows; the rows lie within them.
                k = put(s, unsafe { source.row(self.first + row) }, row, k, self.out);
            }
            if let Some(norm) = self.norm {
                normalise(s, norm, row, k, self.out);
            }
        }
    }
}

/// Copies `from` to columns `k..` of a packed row; returns the next column.
#[inline(always)]
fn put<S: Simd>(s: S, mut from: &[f32], row: usize, mut k: usize, out: &mut [f32]) -> usize {
    while !from.is_empty() {
        let step = (CHUNK - k % CHUNK).min(from.len());
        let (piece, rest) = from.split_at(step);
        let at = group_index(row, k);
        copy(s, piece, &mut out[at..at + step]);
        (from, k) = (rest, k + step);
    }
    k
}

#[inline(always)]
fn copy<S: Simd>(s: S, from: &[f32], to: &mut [f32]) {
    for (to, from) in to.chunks_mut(LANES).zip(from.chunks(LANES)) {
        let v = s.read(from);
        s.write(to, v);
    }
}

/// Layer norm of a packed row of `k` columns, in place; lanes are columns modulo 16, as chunks are multiples of 16.
#[inline(always)]
fn normalise<S: Simd>(s: S, norm: RowNorm<'_>, row: usize, k: usize, out: &mut [f32]) {
    let pieces = |at: usize| group_index(row, at)..group_index(row, at) + (k - at).min(CHUNK);
    let moments = moments(s, (0..k).step_by(CHUNK).map(|at| &out[pieces(at)]), k, norm.eps);
    for at in (0..k).step_by(CHUNK) {
        let piece = &mut out[pieces(at)];
        for (i, x) in piece.chunks_mut(LANES).enumerate() {
            let y = norm.apply(s, moments, at + i * LANES, s.read(x));
            s.write(x, y);
        }
    }
}
