//! Matrices as the register tiles read them: weights in panels of 16 columns, rows of activations in groups.

use std::ops::Range;

use super::norm::{Moments, RowNorm, moments};
use super::patch::Patches;
use super::sixteen::Sixteen;
use super::tile::{TALLEST, panel_floats};
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

/// Packs some columns of rows `first..first + count` of the joined sources, normalised if asked: `[columns][ROWS]`, so that a tile reads
/// one line after the other. Rows past the last one hold anything.
pub(in crate::cpu) struct Group<'a> {
    pub sources: &'a [Source],
    /// With the moments of each of these rows.
    pub norm: Option<(RowNorm<'a>, &'a [Moments])>,
    pub first: usize,
    pub count: usize,
    pub columns: Range<usize>,
    pub out: &'a mut [f32],
}

impl Kernel for Group<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { sources, norm, first, count, columns, out } = self;
        let norm = norm.map(|(norm, moments)| Down::new(s, norm, moments));
        for (source, own, at) in parts(sources, columns.clone()) {
            let mut block = Block { norm, column: columns.start + at, out: &mut out[at * S::ROWS..] };
            match source {
                Source::Rows(window) => {
                    // SAFETY: the launch resolved the window; the rows lie within it.
                    let rows = Sixteen::new(unsafe { window.columns(own.start, own.len()).run(first, count) });
                    // The next group's.
                    let next = window.columns(own.start, own.len()).hint(first + count);
                    for start in (0..own.len()).step_by(LANES) {
                        for row in 0..count {
                            s.prefetch_far(next.at(row).wrapping_add(start));
                        }
                        block.push(s, rows.columns(s, start, S::ROWS), own.len() - start);
                    }
                }
                Source::Patches(patches) => {
                    for start in own.clone().step_by(LANES) {
                        let (mut lines, wanted) = ([[0.0; LANES]; TALLEST], start..own.end.min(start + LANES));
                        for (row, line) in lines[..count].iter_mut().enumerate() {
                            patches.copy(first + row, wanted.clone(), &mut line[..wanted.len()]);
                        }
                        block.push(s, Sixteen::new(lines.iter().map(|line| &line[..])).columns(s, 0, S::ROWS), wanted.len());
                    }
                }
            }
        }
    }
}

/// A layer norm of one column of a group at a time.
#[derive(Clone, Copy)]
struct Down<'a, V> {
    norm: RowNorm<'a>,
    /// Mean and scale of each row.
    moments: [V; 2],
}

impl<'a, V> Down<'a, V> {
    #[inline(always)]
    fn new<S: Simd<V = V>>(s: S, norm: RowNorm<'a>, rows: &[Moments]) -> Self {
        let (mut means, mut scales) = ([0.0; LANES], [0.0; LANES]);
        for ((mean, scale), row) in means.iter_mut().zip(&mut scales).zip(rows) {
            (*mean, *scale) = (row.mean, row.scale);
        }
        Self { norm, moments: [s.read(&means), s.read(&scales)] }
    }
}

/// Where the next columns of a group go.
struct Block<'a, V> {
    norm: Option<Down<'a, V>>,
    /// Of the joined sources.
    column: usize,
    /// From that column on.
    out: &'a mut [f32],
}

impl<V: Copy> Block<'_, V> {
    /// Packs the first `columns` columns, at most 16.
    #[inline(always)]
    fn push<S: Simd<V = V>>(&mut self, s: S, vectors: [V; LANES], columns: usize) {
        // A known count keeps them in registers.
        let columns = if columns >= LANES {
            self.write(s, &vectors);
            LANES
        } else {
            self.write(s, &vectors[..columns]);
            columns
        };
        self.column += columns;
        self.out = &mut std::mem::take(&mut self.out)[columns * S::ROWS..];
    }

    #[inline(always)]
    fn write<S: Simd<V = V>>(&mut self, s: S, columns: &[V]) {
        for (i, x) in columns.iter().enumerate() {
            let y = match self.norm {
                Some(down) => down.norm.apply_down(s, down.moments, self.column + i, *x),
                None => *x,
            };
            // What is past a group's rows is overwritten by the next column.
            let out = &mut self.out[i * S::ROWS..][..LANES];
            // SAFETY: the slice holds 16 floats.
            unsafe { s.store_first(out.as_mut_ptr(), y, S::ROWS) }
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
