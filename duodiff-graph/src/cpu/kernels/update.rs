//! One step of the solver on one image, and guidance: fused multiply-adds in a stated order, the same on every executor.

use crate::cpu::simd::{Kernel, LANES, Simd};
use crate::process::{HISTORY, Row};

/// `m = fma(a, x, b·f)`, clipped; `x' = c0·x`, then `fma` of the saved state, the history from m0 on, and the noise, in this
/// order; terms whose factor is 0 are left out.
pub(in crate::cpu) struct Update<'a> {
    pub row: &'a Row,
    /// The state, replaced.
    pub x: &'a mut [f32],
    /// The network's output.
    pub f: &'a [f32],
    /// The saved state, replaced if the row says so.
    pub saved: &'a mut [f32],
    /// m0, written here.
    pub newest: &'a mut [f32],
    /// m1 and older.
    pub older: [&'a [f32]; HISTORY - 1],
    /// Standard normal, read where its factor is not 0.
    pub z: &'a [f32],
}

impl Kernel for Update<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { row, x, f, saved, newest, older, z } = self;
        let term = |sum: S::V, factor: f32, from: &[f32]| if factor == 0.0 { sum } else { s.fma(s.splat(factor), s.read(from), sum) };
        for at in (0..x.len()).step_by(LANES) {
            let before = s.read(&x[at..]);
            let mut m = s.fma(s.splat(row.a), before, s.mul(s.splat(row.b), s.read(&f[at..])));
            if let Some(bound) = row.clip {
                m = s.max(s.min(m, s.splat(bound)), s.splat(-bound));
            }
            put(s, newest, at, m);
            let mut after = term(s.mul(s.splat(row.c0), before), row.cs, &saved[at..]);
            after = term(after, row.history[0], &newest[at..]);
            for (factor, from) in row.history[1..].iter().zip(older) {
                after = term(after, *factor, &from[at..]);
            }
            after = term(after, row.cz, &z[at..]);
            if row.save {
                put(s, saved, at, before);
            }
            put(s, x, at, after);
        }
    }
}

/// `out = fma(scale, conditional − unconditional, conditional)`, into `conditional`.
pub(in crate::cpu) struct Guide<'a> {
    pub scale: f32,
    pub conditional: &'a mut [f32],
    pub unconditional: &'a [f32],
}

impl Kernel for Guide<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for at in (0..self.conditional.len()).step_by(LANES) {
            let (c, u) = (s.read(&self.conditional[at..]), s.read(&self.unconditional[at..]));
            put(s, self.conditional, at, s.fma(s.splat(self.scale), s.sub(c, u), c));
        }
    }
}

#[inline(always)]
fn put<S: Simd>(s: S, to: &mut [f32], at: usize, v: S::V) {
    let end = to.len().min(at + LANES);
    s.write(&mut to[at..end], v);
}
