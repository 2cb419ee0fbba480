//! Layer norm of rows: `(x − mean) · (1 / √(variance + eps)) · gain + shift`.

use bytemuck::{Pod, Zeroable};

use crate::cpu::rows::{Rows, RowsMut};
use crate::cpu::simd::{Kernel, LANES, Simd};

/// What a layer norm is made with.
#[derive(Clone, Copy)]
pub(in crate::cpu) struct RowNorm<'a> {
    /// Added to the variance.
    pub eps: f32,
    /// Factors by column.
    pub gain: Option<&'a [f32]>,
    /// Summands by column.
    pub shift: Option<&'a [f32]>,
}

/// Mean and 1 / √(variance + eps) of a row.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(in crate::cpu) struct Moments {
    pub mean: f32,
    pub scale: f32,
}

/// The moments of a row: two passes, each in 16 chains (column modulo 16) that a fixed tree adds up.
#[inline(always)]
pub(in crate::cpu) fn moments<S: Simd>(s: S, row: &[f32], eps: f32) -> Moments {
    let count = row.len() as f32;
    let mut sum = s.splat(0.0);
    for x in row.chunks(LANES) {
        sum = s.add(sum, s.read(x));
    }
    let mean = s.sum(sum) / count;
    let mut squares = s.splat(0.0);
    for x in row.chunks(LANES) {
        let centred = s.keep(s.sub(s.read(x), s.splat(mean)), x.len());
        squares = s.fma(centred, centred, squares);
    }
    Moments { mean, scale: 1.0 / (s.sum(squares) / count + eps).sqrt() }
}

impl RowNorm<'_> {
    /// Normalises 16 columns from `column` on.
    #[inline(always)]
    pub(in crate::cpu) fn apply<S: Simd>(&self, s: S, moments: Moments, column: usize, x: S::V) -> S::V {
        let y = s.mul(s.sub(x, s.splat(moments.mean)), s.splat(moments.scale));
        match (self.gain, self.shift) {
            (Some(gain), Some(shift)) => s.fma(y, s.read(&gain[column..]), s.read(&shift[column..])),
            (Some(gain), None) => s.mul(y, s.read(&gain[column..])),
            (None, Some(shift)) => s.add(y, s.read(&shift[column..])),
            (None, None) => y,
        }
    }

    /// Normalises one column of 16 rows, given mean and scale of each; the same bits as [`Self::apply`].
    #[inline(always)]
    pub(in crate::cpu) fn apply_down<S: Simd>(&self, s: S, [mean, scale]: [S::V; 2], column: usize, x: S::V) -> S::V {
        let y = s.mul(s.sub(x, mean), scale);
        match (self.gain, self.shift) {
            (Some(gain), Some(shift)) => s.fma(y, s.splat(gain[column]), s.splat(shift[column])),
            (Some(gain), None) => s.mul(y, s.splat(gain[column])),
            (None, Some(shift)) => s.add(y, s.splat(shift[column])),
            (None, None) => y,
        }
    }
}

/// Normalises rows `first..last`.
pub(in crate::cpu) struct Norm<'a> {
    pub x: Rows,
    pub norm: RowNorm<'a>,
    pub out: RowsMut,
    pub first: usize,
    pub last: usize,
}

impl Kernel for Norm<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for row in self.first..self.last {
            // SAFETY: the launch resolved both windows to live, disjoint memory; each task has its own rows.
            let (x, out) = unsafe { (self.x.row(row), self.out.row(row, 0, self.x.columns)) };
            let moments = moments(s, x, self.norm.eps);
            for (i, (out, x)) in out.chunks_mut(LANES).zip(x.chunks(LANES)).enumerate() {
                let y = self.norm.apply(s, moments, i * LANES, s.read(x));
                s.write(out, y);
            }
        }
    }
}
