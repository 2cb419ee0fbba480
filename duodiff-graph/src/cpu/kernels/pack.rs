//! Matrices as the register tiles read them: weights in panels of 16 columns, rows of activations in groups of up to 13.

use std::ops::Range;

use super::norm::{Moments, RowNorm, moments};
use super::patch::Patches;
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

/// What a product reads.
#[derive(Clone, Copy)]
pub(in crate::cpu) enum Source {
    /// Rows as they lie.
    Rows(Rows),
    /// Patches of an image, cut out while they are packed.
    Patches(Patches),
}

impl Source {
    fn columns(&self) -> usize {
        match self {
            Self::Rows(window) => window.columns,
            Self::Patches(patches) => patches.grid.elements(),
        }
    }
}

/// Packs some columns of rows `first..first + count` of the joined sources, normalised if asked.
pub(in crate::cpu) struct Group<'a> {
    pub sources: &'a [Source],
    /// With the moments of each of these rows.
    pub norm: Option<(RowNorm<'a>, &'a [Moments])>,
    pub first: usize,
    pub count: usize,
    /// The first is a multiple of 16, for the norm's lanes. No more than a chunk, if a source is patches.
    pub columns: Range<usize>,
    pub out: &'a mut [f32],
}

impl Kernel for Group<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let start = self.columns.start;
        for row in 0..self.count {
            for (source, columns, mut column) in parts(self.sources, self.columns.clone()) {
                let window = match source {
                    Source::Rows(window) => window,
                    Source::Patches(patches) => {
                        let to = group_index(row, column);
                        patches.copy(self.first + row, columns.clone(), &mut self.out[to..to + columns.len()]);
                        continue;
                    }
                };
                // SAFETY: the launch resolved the window; the row lies within it.
                let mut from = &unsafe { window.row(self.first + row) }[columns];
                while !from.is_empty() {
                    let to = group_index(row, column);
                    let (piece, rest) = from.split_at((CHUNK - column % CHUNK).min(from.len()));
                    copy(s, piece, &mut self.out[to..to + piece.len()], 2 * window.stride);
                    (column, from) = (column + piece.len(), rest);
                }
            }
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
    pub sources: &'a [Source],
    pub eps: f32,
    pub first: usize,
    /// A row of the joined sources, used unless it lies somewhere as it is.
    pub joined: &'a mut [f32],
    /// One for each row.
    pub out: &'a mut [Moments],
}

impl Kernel for Measure<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for (row, out) in (self.first..).zip(self.out) {
            if let [Source::Rows(window)] = self.sources {
                // SAFETY: the launch resolved the window; the row lies within it.
                *out = moments(s, unsafe { window.row(row) }, self.eps);
                continue;
            }
            for (source, columns, at) in parts(self.sources, 0..self.joined.len()) {
                let to = &mut self.joined[at..at + columns.len()];
                match source {
                    // SAFETY: as above.
                    Source::Rows(window) => to.copy_from_slice(&unsafe { window.row(row) }[columns]),
                    Source::Patches(patches) => patches.copy(row, columns, to),
                }
            }
            *out = moments(s, self.joined, self.eps);
        }
    }
}

/// Each source's part of some columns of the joined sources: which of its own columns, and where among those wanted they come.
fn parts(sources: &[Source], columns: Range<usize>) -> impl Iterator<Item = (&Source, Range<usize>, usize)> {
    let mut end = 0;
    sources.iter().filter_map(move |source| {
        let start = end;
        end += source.columns();
        let part = columns.start.max(start)..columns.end.min(end);
        (!part.is_empty()).then(|| (source, part.start - start..part.end - start, part.start - columns.start))
    })
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
