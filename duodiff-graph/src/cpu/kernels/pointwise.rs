//! Element by element: activations, sums and products of two, affine maps.

use crate::cpu::math::activate;
use crate::cpu::rows::{Rows, RowsMut};
use crate::cpu::simd::{Kernel, LANES, Simd};
use crate::program::{Activation, BinaryFn};

/// What is computed of each element.
#[derive(Clone, Copy)]
pub(in crate::cpu) enum Pointwise {
    /// f(x).
    Activate(Activation),
    /// x · scale + offset, rounded once.
    Affine(f32, f32),
    /// x ∘ the element of a second window.
    Binary(BinaryFn, Rows),
}

/// Rows `first..last`.
pub(in crate::cpu) struct Task {
    pub f: Pointwise,
    pub x: Rows,
    pub out: RowsMut,
    pub first: usize,
    pub last: usize,
}

impl Kernel for Task {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for row in self.first..self.last {
            // SAFETY: the launch resolved the windows to live memory disjoint from `out`; each task has its own rows.
            let (x, out) = unsafe { (self.x.row(row), self.out.row(row, 0, self.x.columns)) };
            match self.f {
                Pointwise::Activate(f) => map(s, x, out, |_, x| activate(s, f, x)),
                Pointwise::Affine(scale, offset) => map(s, x, out, |_, x| s.fma(x, s.splat(scale), s.splat(offset))),
                Pointwise::Binary(f, b) => {
                    // SAFETY: as above.
                    let b = unsafe { b.row(row) };
                    match f {
                        BinaryFn::Add => map(s, x, out, |at, x| s.add(x, s.read(&b[at..]))),
                        BinaryFn::Mul => map(s, x, out, |at, x| s.mul(x, s.read(&b[at..]))),
                    }
                }
            }
        }
    }
}

/// `out = f(column, x)`, sixteen columns at a time.
#[inline(always)]
fn map<S: Simd>(s: S, x: &[f32], out: &mut [f32], f: impl Fn(usize, S::V) -> S::V) {
    for (i, (out, x)) in out.chunks_mut(LANES).zip(x.chunks(LANES)).enumerate() {
        let y = f(i * LANES, s.read(x));
        s.write(out, y);
    }
}
