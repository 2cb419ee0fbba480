//! Softmax of rows: subtract the largest, exponentiate, divide by the sum (16 chains, then a fixed tree).

use crate::cpu::math::exp;
use crate::cpu::rows::{Rows, RowsMut};
use crate::cpu::simd::{Kernel, LANES, Simd};

/// Rows that go through [`exponentials`] together: while one waits for its maximum and its sum, the others work.
const TOGETHER: usize = 4;

/// Turns `R` rows of `count` scores into powers of e with exponent score − largest, in place; returns their sums.
#[inline(always)]
#[expect(clippy::needless_range_loop, reason = "constant bounds over arrays that must end up in registers")]
fn exponentials<S: Simd, const R: usize>(s: S, rows: &mut [f32], count: usize) -> [f32; R] {
    // Whole vectors, then what is left: nearly all of the loop then has no test but its end.
    let whole = count / LANES * LANES;
    let left = count - whole;
    let mut largest = [s.splat(f32::NEG_INFINITY); R];
    for column in (0..whole).step_by(LANES) {
        for r in 0..R {
            largest[r] = s.max(s.read(&rows[r * count + column..][..LANES]), largest[r]);
        }
    }
    if left > 0 {
        for r in 0..R {
            largest[r] = s.max(s.read_or(&rows[r * count + whole..][..left], f32::NEG_INFINITY), largest[r]);
        }
    }
    for r in 0..R {
        largest[r] = s.splat(s.largest(largest[r]));
    }
    let mut sums = [s.splat(0.0); R];
    for column in (0..whole).step_by(LANES) {
        for r in 0..R {
            let x = &mut rows[r * count + column..][..LANES];
            let e = exp(s, s.sub(s.read(x), largest[r]));
            s.write(x, e);
            sums[r] = s.add(sums[r], e);
        }
    }
    if left > 0 {
        for r in 0..R {
            let x = &mut rows[r * count + whole..][..left];
            let e = s.keep(exp(s, s.sub(s.read(x), largest[r])), left);
            s.write(x, e);
            sums[r] = s.add(sums[r], e);
        }
    }
    let mut totals = [0.0; R];
    for r in 0..R {
        totals[r] = s.sum(sums[r]);
    }
    totals
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
        let mut row = self.first;
        while row < self.last {
            if self.last - row >= TOGETHER {
                self.rows::<S, TOGETHER>(s, row);
                row += TOGETHER;
            } else {
                self.rows::<S, 1>(s, row);
                row += 1;
            }
        }
    }
}

impl Softmax {
    /// `R` rows from `first` on.
    #[inline(always)]
    fn rows<S: Simd, const R: usize>(&self, s: S, first: usize) {
        let columns = self.x.columns;
        // SAFETY: the launch resolved both windows to live, disjoint memory; each task has its own rows.
        let (rows, out) = unsafe { (self.x.run(first, R), self.out.run(first, R)) };
        for (out, x) in out.chunks_exact_mut(columns).zip(rows) {
            out.copy_from_slice(x);
        }
        let sums = exponentials::<S, R>(s, out, columns);
        for (row, sum) in out.chunks_exact_mut(columns).zip(sums) {
            let factor = s.splat(1.0 / sum);
            for x in row.chunks_mut(LANES) {
                let y = s.mul(s.read(x), factor);
                s.write(x, y);
            }
        }
    }
}
