//! The fused linear: chunk after chunk of K, rows are packed (and normalised), then multiplied tile by tile; the last chunk's
//! tiles go through the epilogue. Sums wait in the output from one chunk to the next.

use std::ops::Range;

use super::cut::{Cut, most_groups};
use super::epilogue::Finish;
use super::near::{Ahead, FAR, Near};
use super::norm::{Moments, RowNorm};
use super::pack::{Group, Measure, Source};
use super::tile::{CHUNK, Multiply, Sums, TALLEST, TILE, WIDTH, group_floats, groups_floats};
use crate::cpu::rows::{Rows, RowsMut, Scratch};
use crate::cpu::simd::{Kernel, LANES, Simd};
use crate::program::Activation;

/// `out = residual + f(norm(join(sources)) · weightᵀ + bias)`.
#[derive(Clone, Copy)]
pub(in crate::cpu) struct Linear<'a> {
    /// One or two, their columns joined.
    pub sources: &'a [Source],
    /// Layer norm of the joined rows.
    pub norm: Option<RowNorm<'a>>,
    /// Panels as [`super::pack::weight`] makes them.
    pub weight: &'a [f32],
    /// K.
    pub k: usize,
    /// N.
    pub n: usize,
    /// `[N]`.
    pub bias: Option<&'a [f32]>,
    /// Applied to product + bias.
    pub activation: Option<Activation>,
    /// Added last.
    pub residual: Option<Rows>,
    /// `[M, N]`.
    pub out: RowsMut,
}

/// Scratch floats of one worker for a product over `m` rows in all and `k` columns.
pub(in crate::cpu) fn scratch(m: usize, k: usize) -> usize {
    let rows = (most_groups(k) * TALLEST).min(m);
    TILE + groups_floats(rows, k.min(CHUNK)) + rows * MOMENTS + k
}

/// Floats of a group's largest chunk.
fn chunk_floats<S: Simd>(k: usize) -> usize {
    group_floats::<S>(k.min(CHUNK))
}

/// Floats of the moments of a row.
const MOMENTS: usize = size_of::<Moments>() / size_of::<f32>();

/// One task of a linear.
pub(in crate::cpu) struct Task<'a> {
    pub linear: Linear<'a>,
    pub cut: Cut,
    pub index: usize,
    pub scratch: Scratch,
    pub worker: usize,
}

impl Kernel for Task<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { linear, cut, .. } = self;
        let (sources, k) = (linear.sources, linear.k);
        let (groups, pairs) = cut.of(self.index);
        let rows = cut.rows(groups.start).start..cut.rows(groups.end - 1).end;
        // SAFETY: the launch sized the scratch by `scratch`; the worker runs one task at a time.
        let (tile, scratch) = unsafe { self.scratch.of(self.worker) }.split_at_mut(TILE);
        let (packed, scratch) = scratch.split_at_mut(groups.len() * chunk_floats::<S>(k));
        let (moments, scratch) = scratch.split_at_mut(rows.len() * MOMENTS);
        let moments: &mut [Moments] = bytemuck::cast_slice_mut(moments);
        // The rows of the task before are still there, if they are the same and one chunk is all of them.
        // SAFETY: as above.
        let is_packed = unsafe { self.scratch.has_packed(self.worker, rows.start) } && k <= CHUNK;
        if let Some(norm) = linear.norm
            && !is_packed
        {
            s.call(Measure { sources, eps: norm.eps, first: rows.start, joined: &mut scratch[..k], out: moments });
        }
        for start in (0..k).step_by(CHUNK) {
            let columns = start..k.min(start + CHUNK);
            let unpacked = if is_packed { 0..0 } else { groups.clone() };
            for (group, out) in unpacked.zip(packed.chunks_exact_mut(chunk_floats::<S>(k))) {
                let own = cut.rows(group);
                let norm = linear.norm.map(|norm| (norm, &moments[own.start - rows.start..own.end - rows.start]));
                s.call(Group { sources, norm, first: own.start, count: own.len(), columns: columns.clone(), out });
            }
            for pair in pairs.clone() {
                let next = if pair + 1 < pairs.end { pair + 1 } else { pairs.start };
                s.call(Pair { linear, cut, pair, next, columns: columns.clone(), groups: groups.clone(), packed, tile });
            }
        }
    }
}

/// One pair of panels times one chunk of all groups of a task.
struct Pair<'a> {
    linear: Linear<'a>,
    cut: Cut,
    pair: usize,
    /// The pair after this one; its weights are brought near.
    next: usize,
    /// The chunk.
    columns: Range<usize>,
    /// The task's groups.
    groups: Range<usize>,
    packed: &'a [f32],
    tile: &'a mut [f32],
}

impl Kernel for Pair<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { linear, cut, columns, groups, .. } = self;
        let (panel, column) = (linear.k * LANES, self.pair * WIDTH);
        let panels = (linear.n.div_ceil(LANES) - 2 * self.pair).min(2);
        let b = &linear.weight[2 * self.pair * panel + columns.start * LANES..];
        // The next pair's panels at this chunk; after the last pair, the first one's at the next chunk.
        let chunk = if self.next > self.pair { columns.start } else { columns.end };
        let next = linear.weight.as_ptr().wrapping_add(2 * self.next * panel + chunk * LANES);
        let ahead = Ahead { first: next, panel, k: columns.len(), groups: groups.len() };
        let (is_first, is_last) = (columns.start == 0, columns.end == linear.k);
        let tile = Sums::of(self.tile);
        for ((group, a), ahead) in groups.zip(self.packed.chunks_exact(chunk_floats::<S>(linear.k))).zip(ahead.shares::<S>()) {
            let rows = cut.rows(group);
            let (first, count) = (rows.start, rows.len());
            let partial = Partial { out: linear.out, first, count, column, columns: (linear.n - column).min(panels * LANES) };
            // Where whole panels fit the output, sums wait there; elsewhere they are copied.
            let in_place = (partial.columns == panels * LANES).then(|| partial.sums());
            if !is_first && in_place.is_none() {
                partial.rows(self.tile, |out, tile| tile.copy_from_slice(out));
            }
            s.call(Multiply {
                k: columns.len(),
                rows: count,
                panels,
                a,
                b,
                panel,
                ahead,
                near: partial.near(linear.residual.filter(|_| is_last)),
                from: (!is_first).then_some(in_place.unwrap_or(tile)),
                to: if is_last { tile } else { in_place.unwrap_or(tile) },
            });
            if is_last {
                s.call(Finish { linear, tile: self.tile, panels, first, rows: count, column });
            } else if in_place.is_none() {
                partial.rows(self.tile, |out, tile| out.copy_from_slice(tile));
            }
        }
    }
}

/// The part of the output that belongs to a tile, where its sums wait for the next chunk.
#[derive(Clone, Copy)]
struct Partial {
    out: RowsMut,
    first: usize,
    count: usize,
    column: usize,
    columns: usize,
}

impl Partial {
    fn sums(self) -> Sums {
        Sums { base: self.out.base.wrapping_add(self.first * self.out.stride + self.column), stride: self.out.stride, panel: LANES }
    }

    /// What is needed after the product, where it has left the caches: the output, and the residual.
    fn near(self, residual: Option<Rows>) -> Near {
        if self.out.total * self.out.stride < FAR {
            return Near::NONE;
        }
        let read = residual.map(|window| window.columns(self.column, self.columns).hint(self.first));
        Near { written: Some(self.out.hint(self.first, self.column)), read }
    }

    /// Calls `f(row of the output, row of the tile)`.
    fn rows(self, tile: &mut [f32], f: impl Fn(&mut [f32], &mut [f32])) {
        for (row, tile) in (self.first..self.first + self.count).zip(tile.chunks_exact_mut(WIDTH)) {
            // SAFETY: the launch resolved the output; each task writes rows and columns of its own.
            f(unsafe { self.out.row(row, self.column, self.columns) }, &mut tile[..self.columns]);
        }
    }
}
