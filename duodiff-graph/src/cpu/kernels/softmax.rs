//! Softmax of rows: subtract the largest, exponentiate, divide by the sum (16 chains, then a fixed tree).

use crate::cpu::math::exp;
use crate::cpu::rows::{Rows, RowsMut};
use crate::cpu::simd::{Kernel, LANES, Simd};

/// Turns `count` scores into e^(score − largest), in place; returns their sum. Sixteen neighbours from column c on, c a
/// multiple of 16, lie at `place(c)`.
#[inline(always)]
pub(in crate::cpu) fn exponentials<S: Simd>(s: S, row: &mut [f32], place: impl Fn(usize) -> usize, count: usize) -> f32 {
    // Whole vectors, then what is left: nearly all of the loop then has no test but its end.
    let whole = count / LANES * LANES;
    let rest = (whole < count).then(|| place(whole)..place(whole) + count - whole);
    let mut largest = s.splat(f32::NEG_INFINITY);
    for at in (0..whole).step_by(LANES) {
        largest = s.max(s.read(&row[place(at)..][..LANES]), largest);
    }
    if let Some(rest) = rest.clone() {
        largest = s.max(s.read_or(&row[rest], f32::NEG_INFINITY), largest);
    }
    let largest = s.splat(s.largest(largest));
    let mut sum = s.splat(0.0);
    for at in (0..whole).step_by(LANES) {
        let x = &mut row[place(at)..][..LANES];
        let e = exp(s, s.sub(s.read(x), largest));
        s.write(x, e);
        sum = s.add(sum, e);
    }
    if let Some(rest) = rest {
        let x = &mut row[rest];
        let e = s.keep(exp(s, s.sub(s.read(x), largest)), x.len());
        s.write(x, e);
        sum = s.add(sum, e);
    }
    s.sum(sum)
}

/// Softmax of rows `first..last`.
pub(in crate::cpu) struct Softmax {
    pub x: Rows,
    pub out: RowsMut,
    pub first: usize,
    pub last: usize,
}

impl Kernel for Softmax {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for row in self.first..self.last {
            // SAFETY: the launch resolved both windows to live, disjoint memory; each task has its own rows.
            let (x, out) = unsafe { (self.x.row(row), self.out.row(row, 0, self.x.columns)) };
            out.copy_from_slice(x);
            let sum = exponentials(s, out, |at| at, x.len());
            for out in out.chunks_mut(LANES) {
                let y = s.div(s.read(out), s.splat(sum));
                s.write(out, y);
            }
        }
    }
}
