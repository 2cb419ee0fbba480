//! Matrices as the register tiles read them: weights in panels of 16 columns, rows of activations in groups of 12.

use std::ops::Range;

use super::norm::{Moments, RowNorm, moments};
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

/// Packs some columns of rows `first..first + count` of the joined sources, normalised if asked.
pub(in crate::cpu) struct Group<'a> {
    pub sources: &'a [Rows],
    /// With the moments of each of these rows.
    pub norm: Option<(RowNorm<'a>, &'a [Moments])>,
    pub first: usize,
    pub count: usize,
    /// The first is a multiple of 16, for the norm's lanes.
    pub columns: Range<usize>,
    pub out: &'a mut [f32],
}

impl Kernel for Group<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let start = self.columns.start;
        for row in 0..self.count {
            for_each_piece(self.sources, self.first + row, self.columns.clone(), |mut column, mut from, stride| {
                while !from.is_empty() {
                    let to = group_index(row, column - start);
                    let (piece, rest) = from.split_at((CHUNK - (column - start) % CHUNK).min(from.len()));
                    copy(s, piece, &mut self.out[to..to + piece.len()], 2 * stride);
                    (column, from) = (column + piece.len(), rest);
                }
            });
            let Some((norm, moments)) = self.norm else { continue };
            for column in self.columns.clone().step_by(CHUNK) {
                let at = group_index(row, column - start);
                let piece = &mut self.out[at..at + (self.columns.end - column).min(CHUNK)];
                for (i, x) in piece.chunks_mut(LANES).enumerate() {
                    let y = norm.apply(s, moments[row], column + i * LANES, s.read(x));
                    s.write(x, y);
                }
            }
        }
    }
}

/// Mean and scale of rows `first..` of the joined sources, for a layer norm.
pub(in crate::cpu) struct Measure<'a> {
    pub sources: &'a [Rows],
    pub eps: f32,
    pub first: usize,
    /// A row of the joined sources, used if there are several.
    pub joined: &'a mut [f32],
    /// One for each row.
    pub out: &'a mut [Moments],
}

impl Kernel for Measure<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for (row, out) in (self.first..).zip(self.out) {
            *out = if let [source] = self.sources {
                // SAFETY: the launch resolved the window; the row lies within it.
                moments(s, unsafe { source.row(row) }, self.eps)
            } else {
                for_each_piece(self.sources, row, 0..self.joined.len(), |column, from, _| {
                    self.joined[column..column + from.len()].copy_from_slice(from);
                });
                moments(s, self.joined, self.eps)
            };
        }
    }
}

/// Calls `f(column, floats, floats to the next row)` for each source's part of some columns of a row of the joined sources.
#[inline(always)]
fn for_each_piece(sources: &[Rows], row: usize, columns: Range<usize>, mut f: impl FnMut(usize, &[f32], usize)) {
    let mut start = 0;
    for source in sources {
        let (first, end) = (columns.start.max(start), columns.end.min(start + source.columns));
        if first < end {
            // SAFETY: the launch resolved the windows; the rows lie within them.
            let from = unsafe { source.row(row) };
            f(first, &from[first - start..end - start], source.stride);
        }
        start += source.columns;
    }
}

/// Copies, and brings near what lies `ahead` floats on.
#[inline(always)]
fn copy<S: Simd>(s: S, from: &[f32], to: &mut [f32], ahead: usize) {
    for (to, from) in to.chunks_mut(LANES).zip(from.chunks(LANES)) {
        let v = s.read(from);
        s.prefetch(from.as_ptr().wrapping_add(ahead));
        s.write(to, v);
    }
}
