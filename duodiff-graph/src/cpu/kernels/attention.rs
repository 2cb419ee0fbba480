//! Whole-row attention: scores of some queries against all keys, softmax, product with the values; nothing is kept.
//!
//! Scores are computed as `k·qᵀ`, a row for each key and a lane for each query. So the maximum and the sum of a query stay in a
//! lane, and what the exponentials write is the panel that the product with the values reads.

use std::f32::consts::LOG2_E;

use super::near::{FAR, Near};
use super::pack::{Group, Source};
use super::sixteen::Sixteen;
use super::tile::{Multiply, Sums, WIDTH, group_floats, groups_floats};
use crate::cpu::math::exp2;
use crate::cpu::pool::part;
use crate::cpu::rows::{Hint, Rows, RowsMut, Scratch};
use crate::cpu::simd::{Kernel, LANES, Simd};

/// `out = softmax(scale · q·kᵀ)·v` for each image and head, q, k and v read in place.
#[derive(Clone, Copy)]
pub(in crate::cpu) struct Attention {
    /// `[L, H·K]` per image.
    pub q: Rows,
    /// `[M, H·K]` per image.
    pub k: Rows,
    /// `[M, H·K]` per image.
    pub v: Rows,
    /// H.
    pub heads: usize,
    /// Factor of the scores, applied to the queries.
    pub scale: f32,
    /// `[L, H·K]`.
    pub out: RowsMut,
}

impl Attention {
    fn width(&self) -> usize {
        self.q.columns / self.heads
    }

    /// How many tasks the query rows of one image and head are cut into, so that each thread has work.
    pub fn blocks(&self, images: usize, threads: usize) -> usize {
        threads.div_ceil(images * self.heads).min(self.q.rows.div_ceil(WIDTH))
    }
}

/// Groups that so many rows are cut into, of like size.
fn groups<S: Simd>(rows: usize) -> usize {
    rows.div_ceil(S::ROWS)
}

/// Scratch floats of one worker for `keys` keys of `width` columns.
pub(in crate::cpu) fn scratch(keys: usize, width: usize) -> usize {
    groups_floats(keys, width) + groups_floats(width, keys) + (width + keys + width.next_multiple_of(LANES)) * WIDTH
}

/// One block of queries of one head of one image.
pub(in crate::cpu) struct Task {
    pub attention: Attention,
    pub blocks: usize,
    pub index: usize,
    pub scratch: Scratch,
    pub worker: usize,
}

impl Kernel for Task {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { attention, blocks, index, .. } = self;
        let (pair, block) = (index / blocks, index % blocks);
        let (image, head) = (pair / attention.heads, pair % attention.heads);
        let (keys, width) = (attention.k.rows, attention.width());
        let [q, k, v] = [attention.q, attention.k, attention.v].map(|rows| rows.columns(head * width, width));
        let (far, tiles) = (q.rows * q.stride >= FAR, width.div_ceil(WIDTH));
        // SAFETY: the launch sized the scratch by `scratch`; the worker runs one task at a time.
        let scratch = unsafe { self.scratch.of(self.worker) };
        let (packed_keys, scratch) = scratch.split_at_mut(groups::<S>(keys) * group_floats::<S>(width));
        let (packed_values, scratch) = scratch.split_at_mut(groups::<S>(width) * group_floats::<S>(keys));
        let (queries, scratch) = scratch.split_at_mut(width * WIDTH);
        let (scores, sums) = scratch.split_at_mut(keys * WIDTH);
        for (group, out) in packed_keys.chunks_exact_mut(group_floats::<S>(width)).enumerate() {
            let own = part(0..keys, groups::<S>(keys), group);
            s.call(Group {
                sources: &[Source::Rows(k)],
                norm: None,
                first: image * keys + own.start,
                count: own.len(),
                columns: 0..width,
                out,
            });
        }
        s.call(PackValues { v, image, out: packed_values });
        for pair in part(0..q.rows.div_ceil(WIDTH), blocks, block) {
            let first = pair * WIDTH;
            let count = (q.rows - first).min(WIDTH);
            let panels = count.div_ceil(LANES);
            let own = Queries { q, first: image * q.rows + first, count };
            s.call(PackQueries { queries: own, factor: attention.scale * LOG2_E, panels: queries });
            for (group, a) in packed_keys.chunks_exact(group_floats::<S>(width)).enumerate() {
                let rows = part(0..keys, groups::<S>(keys), group);
                // The next queries, 16 columns at a time.
                let column = (group * LANES).min(width - 1);
                let ahead = q.columns(column, width - column).hint(own.first + WIDTH);
                let to = Sums { base: scores[rows.start * LANES..].as_mut_ptr(), stride: LANES, panel: keys * LANES };
                // The output's rows, as many as a tile has, 32 columns at a time.
                let (down, across) = (group / tiles * S::ROWS, group % tiles * WIDTH);
                let written = (far && down < count).then(|| attention.out.hint(own.first + down, head * width + across));
                s.call(Product { a, rows: rows.len(), b: queries, panels, k: width, ahead, written, to });
            }
            let mut factors = [0.0; WIDTH];
            for (scores, factors) in scores.chunks_exact_mut(keys * LANES).zip(factors.chunks_exact_mut(LANES)).take(panels) {
                s.call(Exponentials { scores, factors });
            }
            for (group, a) in packed_values.chunks_exact(group_floats::<S>(keys)).enumerate() {
                let rows = part(0..width, groups::<S>(width), group);
                let ahead = Hint { first: scores.as_ptr(), step: 0 };
                let to = Sums { base: sums[rows.start * WIDTH..].as_mut_ptr(), stride: WIDTH, panel: LANES };
                s.call(Product { a, rows: rows.len(), b: scores, panels, k: keys, ahead, written: None, to });
            }
            s.call(Finish { sums, factors: &factors, queries: own, column: head * width, out: attention.out });
        }
    }
}

/// Some queries: rows of q, counted over all images.
#[derive(Clone, Copy)]
struct Queries {
    q: Rows,
    first: usize,
    count: usize,
}

/// A packed group times one or two panels of `k` rows.
struct Product<'a> {
    a: &'a [f32],
    rows: usize,
    b: &'a [f32],
    panels: usize,
    k: usize,
    ahead: Hint,
    written: Option<Hint>,
    to: Sums,
}

impl Kernel for Product<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { a, rows, b, panels, k, ahead, written, to } = self;
        s.call(Multiply { k, rows, panels, a, b, panel: k * LANES, ahead, near: Near { written, read: None }, from: None, to });
    }
}

/// Turns the scores of 16 queries, `[keys][16]`, into powers of two with exponent score − largest; and the reciprocals of their sums, each
/// in [`CHAINS`] chains (key modulo that number) that a fixed tree adds up.
struct Exponentials<'a> {
    scores: &'a mut [f32],
    factors: &'a mut [f32],
}

/// Keys that are worked on together.
const CHAINS: usize = 4;

impl Kernel for Exponentials<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        const BLOCK: usize = CHAINS * LANES;
        let (whole, rest) = self.scores.as_chunks_mut::<BLOCK>();
        let mut largest = [s.splat(f32::NEG_INFINITY); CHAINS];
        for block in whole.iter() {
            for i in 0..CHAINS {
                largest[i] = s.max(s.read(&block[i * LANES..][..LANES]), largest[i]);
            }
        }
        for (i, x) in rest.chunks_exact(LANES).enumerate() {
            largest[i] = s.max(s.read(x), largest[i]);
        }
        let largest = s.max(s.max(largest[0], largest[1]), s.max(largest[2], largest[3]));
        let mut sums = [s.splat(0.0); CHAINS];
        for block in whole {
            for i in 0..CHAINS {
                let x = &mut block[i * LANES..][..LANES];
                let e = exp2(s, s.sub(s.read(x), largest));
                s.write(x, e);
                sums[i] = s.add(sums[i], e);
            }
        }
        for (i, x) in rest.chunks_exact_mut(LANES).enumerate() {
            let e = exp2(s, s.sub(s.read(x), largest));
            s.write(x, e);
            sums[i] = s.add(sums[i], e);
        }
        let sum = s.add(s.add(sums[0], sums[1]), s.add(sums[2], sums[3]));
        s.write(self.factors, s.div(s.splat(1.0), sum));
    }
}

/// Multiplies sums, a row of 32 for each column of the values, by the factors of their queries and writes them as rows of the output.
struct Finish<'a> {
    sums: &'a [f32],
    factors: &'a [f32],
    queries: Queries,
    column: usize,
    out: RowsMut,
}

impl Kernel for Finish<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Queries { q, first, count } = self.queries;
        for (panel, factors) in (0..count).step_by(LANES).zip(self.factors.chunks_exact(LANES)) {
            for (column, sums) in (0..q.columns).step_by(LANES).zip(self.sums.chunks_exact(LANES * WIDTH)) {
                let rows = Sixteen::new(sums.chunks_exact(WIDTH).map(|row| &row[panel..][..LANES])).columns(s, 0, LANES);
                for ((row, vector), factor) in (first + panel..first + count).zip(rows).zip(factors) {
                    // SAFETY: the launch resolved the output; each task writes rows and columns of its own.
                    let out = unsafe { self.out.row(row, self.column + column, (q.columns - column).min(LANES)) };
                    s.write(out, s.mul(vector, s.splat(*factor)));
                }
            }
        }
    }
}

/// Queries times the factor of the scores as panels of 16 queries, `[width][16]`; past the last query, that one again.
struct PackQueries<'a> {
    queries: Queries,
    factor: f32,
    panels: &'a mut [f32],
}

impl Kernel for PackQueries<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Queries { q, first, count } = self.queries;
        let (width, factor) = (q.columns, s.splat(self.factor));
        for (panel, out) in (0..count).step_by(LANES).zip(self.panels.chunks_exact_mut(width * LANES)) {
            // SAFETY: the launch resolved the window.
            let rows = Sixteen::new(unsafe { q.run(first + panel, count - panel) });
            for (column, block) in (0..width).step_by(LANES).zip(out.chunks_mut(LANES * LANES)) {
                for (to, x) in block.chunks_exact_mut(LANES).zip(rows.columns(s, column, LANES)) {
                    s.write(to, s.mul(x, factor));
                }
            }
        }
    }
}

/// Values as groups of columns, each `[keys][ROWS]`.
struct PackValues<'a> {
    v: Rows,
    image: usize,
    out: &'a mut [f32],
}

impl Kernel for PackValues<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { v, image, out } = self;
        let (keys, width) = (v.rows, v.columns);
        for first in (0..keys).step_by(LANES) {
            let count = (keys - first).min(LANES);
            for (group, out) in out.chunks_exact_mut(group_floats::<S>(keys)).enumerate() {
                let own = part(0..width, groups::<S>(width), group);
                // SAFETY: the launch resolved the window.
                let rows = unsafe { v.columns(own.start, width - own.start).run(image * keys + first, count) };
                for (key, row) in (first..).zip(rows) {
                    // The rows after these.
                    s.prefetch(row.as_ptr().wrapping_add(LANES * v.stride));
                    // What is past the group's columns is overwritten by the next key.
                    let out = &mut out[key * S::ROWS..][..LANES];
                    // SAFETY: the slice holds 16 floats.
                    unsafe { s.store_first(out.as_mut_ptr(), s.read(row), S::ROWS) }
                }
            }
        }
    }
}
