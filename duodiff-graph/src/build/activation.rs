//! The pointwise nonlinearities.

use std::f32::consts::{FRAC_1_SQRT_2, LOG2_E};

use luminal::prelude::{GraphTensor, Shape};

use super::{Tensor, Tokens};

/// `y = x·Φ(x)`, Φ the normal distribution function: GELU by the error function.
#[inline(never)]
pub fn gelu<const L: usize, const D: usize>(x: &Tokens<L, D>) -> Tokens<L, D> {
    Tensor::new(formula_gelu(x.dense()))
}

/// `y = ½x(1 + tanh(√(2/π)(x + 0.044715x³)))`.
#[inline(never)]
pub fn gelu_tanh<const L: usize, const D: usize>(x: &Tokens<L, D>) -> Tokens<L, D> {
    Tensor::new(formula_gelu_tanh(x.dense()))
}

/// `y = x / (1 + e⁻ˣ)`.
#[inline(never)]
pub fn silu<const L: usize, const D: usize>(x: &Tokens<L, D>) -> Tokens<L, D> {
    Tensor::new(formula_silu(x.dense()))
}

/// `(x + a − a·erfc(a/√2)) / 2` with a = |x|; erfc by Abramowitz and Stegun 7.1.26, within 3.3e-7 of GELU.
#[inline(never)]
pub(crate) fn formula_gelu<S: Shape>(x: GraphTensor<S>) -> GraphTensor<S> {
    let square = x * x;
    let a = square.sqrt();
    let tail = a * erfc_polynomial((a * (0.327_591_1 * FRAC_1_SQRT_2) + 1.0).recip());
    (x + a - tail * (square * (-0.5 * LOG2_E)).exp2()) * 0.5
}

/// The polynomial of 7.1.26.
#[inline(never)]
fn erfc_polynomial<S: Shape>(t: GraphTensor<S>) -> GraphTensor<S> {
    ((((t * 1.061_405_4 + -1.453_152_1) * t + 1.421_413_7) * t + -0.284_496_72) * t + 0.254_829_6) * t
}

/// `x·sigmoid(2z)` with z the argument of tanh.
#[inline(never)]
pub(crate) fn formula_gelu_tanh<S: Shape>(x: GraphTensor<S>) -> GraphTensor<S> {
    const TWICE_SQRT_2_OVER_PI: f32 = 1.595_769;
    let z = (x * x * x * 0.044_715 + x) * TWICE_SQRT_2_OVER_PI;
    x * z.sigmoid()
}

/// luminal's swish.
#[inline(never)]
pub(crate) fn formula_silu<S: Shape>(x: GraphTensor<S>) -> GraphTensor<S> {
    x.swish()
}
