//! Whole-row attention: scores of some query rows against all keys, softmax, product with the values; nothing is kept.

use std::f32::consts::LOG2_E;

use super::near::{FAR, Near};
use super::pack::{Group, Source};
use super::softmax::{Base, TOGETHER, exponentials};
use super::tile::{Multiply, STRIDE, Sums, TILE, WIDTH, group_floats, group_index, panel_floats};
use crate::cpu::rows::{Hint, Rows, RowsMut, Scratch};
use crate::cpu::simd::{Kernel, LANES, Simd};

/// Query rows that are taken together: several times as many as exponentials are.
const QUERIES: usize = 12;

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
        threads.div_ceil(images * self.heads).min(self.q.rows.div_ceil(QUERIES))
    }
}

/// Scratch floats of one worker for `keys` keys of `width` columns.
pub(in crate::cpu) fn scratch(keys: usize, width: usize) -> usize {
    TILE + panel_floats(keys, width) + panel_floats(width, keys) + group_floats(width) + group_floats(keys)
}

/// One block of query rows of one head of one image.
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
        // SAFETY: the launch sized the scratch by `scratch`; the worker runs one task at a time.
        let scratch = unsafe { self.scratch.of(self.worker) };
        let (tile, scratch) = scratch.split_at_mut(TILE);
        let (key_panels, scratch) = scratch.split_at_mut(panel_floats(keys, width));
        let (value_panels, scratch) = scratch.split_at_mut(panel_floats(width, keys));
        let (queries, scores) = scratch.split_at_mut(group_floats(width));
        s.call(PackKeys { k, image, panels: key_panels });
        s.call(PackValues { v, image, panels: value_panels });
        let groups = q.rows.div_ceil(QUERIES);
        let far = q.rows * q.stride >= FAR;
        for group in groups * block / blocks..groups * (block + 1) / blocks {
            let (first, rows) = (image * q.rows + group * QUERIES, (q.rows - group * QUERIES).min(QUERIES));
            s.call(Group { sources: &[Source::Rows(q)], norm: None, first, count: rows, columns: 0..width, out: queries });
            s.call(Scale { queries, rows, width, factor: attention.scale * LOG2_E });
            for key in (0..keys).step_by(WIDTH) {
                let to = Sums { base: scores[group_index(0, key)..].as_mut_ptr(), stride: STRIDE };
                let (panels, b) = ((keys - key).div_ceil(LANES).min(2), &key_panels[key * width..]);
                // The next group's queries, a part at a time.
                let near = Near { read: (far && key < width).then(|| q.columns(key, width - key).hint(first + QUERIES)), ..Near::NONE };
                s.call(Multiply {
                    k: width,
                    rows,
                    panels,
                    a: queries,
                    b,
                    panel: width * LANES,
                    ahead: Hint { first: b.as_ptr(), step: 0 },
                    near,
                    from: None,
                    to,
                });
            }
            let mut factors = [0.0; QUERIES];
            s.call(Exponentials { scores, keys, factors: &mut factors[..rows.next_multiple_of(TOGETHER)] });
            for column in (0..width).step_by(WIDTH) {
                let to = Sums::of(tile);
                let (panels, b) = ((width - column).div_ceil(LANES).min(2), &value_panels[column * keys..]);
                let columns = (width - column).min(WIDTH);
                let near = Near { written: far.then(|| attention.out.hint(first, head * width + column)), ..Near::NONE };
                s.call(Multiply {
                    k: keys,
                    rows,
                    panels,
                    a: scores,
                    b,
                    panel: keys * LANES,
                    ahead: Hint { first: b.as_ptr(), step: 0 },
                    near,
                    from: None,
                    to,
                });
                let column = head * width + column;
                s.call(Finish { tile, factors: &factors[..rows], first, column, columns, out: attention.out });
            }
        }
    }
}

/// Multiplies packed queries by the factor of the scores.
struct Scale<'a> {
    queries: &'a mut [f32],
    rows: usize,
    width: usize,
    factor: f32,
}

impl Kernel for Scale<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for row in 0..self.rows {
            for column in (0..self.width).step_by(LANES) {
                let at = group_index(row, column);
                let x = &mut self.queries[at..at + LANES];
                let y = s.mul(s.read(x), s.splat(self.factor));
                s.write(x, y);
            }
        }
    }
}

/// Powers of two of each row of scores, and the reciprocals of their sums.
struct Exponentials<'a> {
    scores: &'a mut [f32],
    keys: usize,
    /// Of as many rows as go together.
    factors: &'a mut [f32],
}

impl Kernel for Exponentials<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for (i, factors) in self.factors.chunks_exact_mut(TOGETHER).enumerate() {
            let rows = &mut self.scores[group_index(i * TOGETHER, 0)..];
            let sums = exponentials::<S, TOGETHER>(s, rows, STRIDE, |column| group_index(0, column), self.keys, Base::Two);
            for (factor, sum) in factors.iter_mut().zip(sums) {
                *factor = 1.0 / sum;
            }
        }
    }
}

/// Scales a tile's rows into the output.
struct Finish<'a> {
    tile: &'a [f32],
    factors: &'a [f32],
    first: usize,
    column: usize,
    columns: usize,
    out: RowsMut,
}

impl Kernel for Finish<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for (row, (tile, factor)) in self.tile.chunks_exact(WIDTH).zip(self.factors).enumerate() {
            // SAFETY: the launch resolved the output; each task writes rows and columns of its own.
            let out = unsafe { self.out.row(self.first + row, self.column, self.columns) };
            for (out, x) in out.chunks_mut(LANES).zip(tile.chunks_exact(LANES)) {
                s.write(out, s.mul(s.read(x), s.splat(*factor)));
            }
        }
    }
}

/// Keys as panels of 16 keys, `[keys/16][width][16]`; past the last key, that one again.
struct PackKeys<'a> {
    k: Rows,
    image: usize,
    panels: &'a mut [f32],
}

impl Kernel for PackKeys<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let (keys, width) = (self.k.rows, self.k.columns);
        for (first, panel) in (0..keys).step_by(LANES).zip(self.panels.chunks_exact_mut(width * LANES)) {
            let mut rows: [&[f32]; LANES] = [&[]; LANES];
            for (lane, row) in rows.iter_mut().enumerate() {
                // SAFETY: the launch resolved the window.
                *row = unsafe { self.k.row(self.image * keys + (first + lane).min(keys - 1)) };
            }
            for (column, block) in (0..width).step_by(LANES).zip(panel.chunks_mut(LANES * LANES)) {
                // No closures of vectors: what the compiler does not inline of them knows nothing of the instruction set.
                let mut vectors = [s.splat(0.0); LANES];
                for (vector, row) in vectors.iter_mut().zip(rows) {
                    *vector = s.read(&row[column..]);
                }
                for (to, column) in block.chunks_exact_mut(LANES).zip(s.transpose(vectors)) {
                    s.write(to, column);
                }
            }
        }
    }
}

/// Values as panels of 16 columns, `[width/16][keys][16]`.
struct PackValues<'a> {
    v: Rows,
    image: usize,
    panels: &'a mut [f32],
}

impl Kernel for PackValues<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        // SAFETY: the launch resolved the window.
        for (key, row) in unsafe { self.v.run(self.image * self.v.rows, self.v.rows) }.enumerate() {
            for (panel, x) in self.panels.chunks_exact_mut(self.v.rows * LANES).zip(row.chunks(LANES)) {
                s.write(&mut panel[key * LANES..][..LANES], s.read(x));
            }
        }
    }
}
