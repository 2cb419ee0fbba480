//! Operators that go element by element.

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_PI};

use crate::program::{Activate, Activation, Affine, Binary, BinaryFn};

use super::scope::Scope;

/// `out = f(x)`, `[L, D]`.
pub(super) fn activate(op: &Activate, scope: &Scope, out: &mut [f64]) {
    let x = scope.window(&op.x);
    for (index, out) in out.chunks_mut(x.columns()).enumerate() {
        for (out, x) in out.iter_mut().zip(x.row(index)) {
            *out = activation(op.f, *x);
        }
    }
}

/// One value of a nonlinearity.
pub(super) fn activation(f: Activation, x: f64) -> f64 {
    match f {
        Activation::Gelu => 0.5 * x * libm::erfc(-x * FRAC_1_SQRT_2),
        Activation::GeluTanh => 0.5 * x * (1.0 + (FRAC_2_PI.sqrt() * (x + 0.044715 * x * x * x)).tanh()),
        Activation::Silu => x / (1.0 + (-x).exp()),
    }
}

/// `out = a ∘ b`, `[L, D]`; a single row of b goes with each of a's.
pub(super) fn binary(op: &Binary, scope: &Scope, out: &mut [f64]) {
    let (a, b) = (scope.window(&op.a), scope.window(&op.b));
    for (index, out) in out.chunks_mut(a.columns()).enumerate() {
        let b = b.row(if b.rows() == 1 { 0 } else { index });
        for ((out, a), b) in out.iter_mut().zip(a.row(index)).zip(b) {
            *out = match op.f {
                BinaryFn::Add => a + b,
                BinaryFn::Mul => a * b,
            };
        }
    }
}

/// `out = x · scale + offset`, `[L, D]`.
pub(super) fn affine(op: &Affine, scope: &Scope, out: &mut [f64]) {
    let x = scope.window(&op.x);
    for (index, out) in out.chunks_mut(x.columns()).enumerate() {
        for (out, x) in out.iter_mut().zip(x.row(index)) {
            *out = x * f64::from(op.scale) + f64::from(op.offset);
        }
    }
}
