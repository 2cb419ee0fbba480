//! Whole-row attention: scores of some query rows against all keys, softmax, product with the values; nothing is kept.

use super::pack;
use super::softmax::exponentials;
use super::tile::{GROUP, TILE, group_floats, group_index, panel_floats, product};
use crate::cpu::rows::{Rows, RowsMut, Scratch};
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
    /// Factor of the scores, applied to the finished product.
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
        threads.div_ceil(images * self.heads).min(self.q.rows.div_ceil(GROUP))
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
        // SAFETY: the launch resolved the windows.
        unsafe {
            pack_keys(k, image, key_panels);
            pack_values(s, v, image, value_panels);
        }
        let groups = q.rows.div_ceil(GROUP);
        for group in groups * block / blocks..groups * (block + 1) / blocks {
            let (first, count) = (image * q.rows + group * GROUP, (q.rows - group * GROUP).min(GROUP));
            // SAFETY: the launch resolved the windows.
            unsafe { pack::group(s, &[q], None, first, count, queries) };
            let put = |row: usize, column: usize, x: S::V, _: usize| {
                let at = group_index(row, column);
                s.write(&mut scores[at..at + LANES], s.mul(x, s.splat(attention.scale)));
            };
            multiply(s, count, width, keys, queries, key_panels, tile, put);
            let mut factors = [0.0; GROUP];
            for (row, factor) in factors.iter_mut().enumerate().take(count) {
                *factor = 1.0 / exponentials(s, scores, |at| group_index(row, at), keys);
            }
            let put = |row: usize, column: usize, x: S::V, columns: usize| {
                // SAFETY: each task writes rows and columns of its own.
                let out = unsafe { attention.out.row(first + row, head * width + column, columns) };
                s.write(out, s.mul(x, s.splat(factors[row])));
            };
            multiply(s, count, keys, width, scores, value_panels, tile, put);
        }
    }
}

/// `put(row, column, 16 products, columns left of them)` for each element of a packed group times all panels.
#[inline(always)]
fn multiply<S: Simd>(
    s: S,
    rows: usize,
    k: usize,
    n: usize,
    group: &[f32],
    panels: &[f32],
    tile: &mut [f32],
    mut put: impl FnMut(usize, usize, S::V, usize),
) {
    for column in (0..n).step_by(2 * LANES) {
        let count = (n - column).div_ceil(LANES).min(2);
        // SAFETY: a packed group, `count` whole panels, and TILE floats.
        unsafe { product(s, k, rows, count, group.as_ptr(), panels[column * k..].as_ptr(), tile.as_mut_ptr()) };
        for (row, tile) in tile.chunks_exact(count * LANES).enumerate().take(rows) {
            for (i, x) in tile.chunks_exact(LANES).enumerate() {
                let column = column + i * LANES;
                put(row, column, s.read(x), (n - column).min(LANES));
            }
        }
    }
}

/// Keys as panels of 16 keys, `[keys/16][width][16]`; columns past the last key are undefined.
///
/// # Safety
/// See [`Rows::row`].
#[inline(always)]
unsafe fn pack_keys(k: Rows, image: usize, panels: &mut [f32]) {
    for key in 0..k.rows {
        // SAFETY: granted by the caller.
        let row = unsafe { k.row(image * k.rows + key) };
        let panel = &mut panels[key / LANES * LANES * k.columns..];
        for (to, x) in panel.chunks_exact_mut(LANES).zip(row) {
            to[key % LANES] = *x;
        }
    }
}

/// Values as panels of 16 columns, `[width/16][keys][16]`.
///
/// # Safety
/// See [`Rows::row`].
#[inline(always)]
unsafe fn pack_values<S: Simd>(s: S, v: Rows, image: usize, panels: &mut [f32]) {
    for key in 0..v.rows {
        // SAFETY: granted by the caller.
        let row = unsafe { v.row(image * v.rows + key) };
        for (panel, x) in panels.chunks_exact_mut(v.rows * LANES).zip(row.chunks(LANES)) {
            s.write(&mut panel[key * LANES..][..LANES], s.read(x));
        }
    }
}
