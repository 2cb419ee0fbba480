//! Exponential, error function and the activations made of them: written once, in fused multiply-adds, for every lane width.
//!
//! Bounds stand before x in `max` and `min`, which give the second of two operands where one is no number: such an x stays none.

use super::simd::Simd;
use crate::program::Activation;

/// 1.5·2²³: adding it rounds to a whole number n, which then stands in the lowest bits.
const ROUND: f32 = 12_582_912.0;

/// The largest argument of [`exp`], negative or positive: 1 / eˣ, too, is no subnormal number, with which machines are slow.
const LIMIT: f32 = 87.3;

/// eˣ to 2 ulp, x clamped to ±87.3.
///
/// x = n·ln 2 + r with whole n and |r| ≤ ½ ln 2; eʳ by a minimax polynomial constrained to e⁰ = 1; times 2ⁿ is exact.
#[inline(always)]
pub(super) fn exp<S: Simd>(s: S, x: S::V) -> S::V {
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    const TERMS: [f32; 7] = [0.001_406_123_9, 0.008_379_011, 0.041_664_777, 0.166_663_65, 0.500_000_04, 1.0, 1.0];
    let x = s.max(s.splat(-LIMIT), s.min(s.splat(LIMIT), x));
    let n = s.fma(x, s.splat(std::f32::consts::LOG2_E), s.splat(ROUND));
    let whole = s.sub(n, s.splat(ROUND));
    let r = s.fma(whole, s.splat(-LN2_LOW), s.fma(whole, s.splat(-LN2_HIGH), x));
    s.scale2(polynomial(s, TERMS, r), n)
}

/// 2ˣ to 2 ulp for x ≤ 0, where x is clamped to −126. As [`exp`], without a reduction that rounds.
#[inline(always)]
pub(super) fn exp2<S: Simd>(s: S, x: S::V) -> S::V {
    const TERMS: [f32; 7] = [1.559_467_7e-4, 0.001_340_664_4, 0.009_617_693, 0.055_503_106, 0.240_226_53, std::f32::consts::LN_2, 1.0];
    let x = s.max(s.splat(-126.0), x);
    let n = s.add(x, s.splat(ROUND));
    let r = s.sub(x, s.sub(n, s.splat(ROUND)));
    s.scale2(polynomial(s, TERMS, r), n)
}

/// A polynomial in x by Horner's rule, the highest coefficient first.
#[inline(always)]
fn polynomial<S: Simd, const N: usize>(s: S, coefficients: [f32; N], x: S::V) -> S::V {
    let mut sum = s.splat(coefficients[0]);
    for coefficient in &coefficients[1..] {
        sum = s.fma(sum, x, s.splat(*coefficient));
    }
    sum
}

/// The error function to 4e-7 absolute; exactly ±1 beyond ±3.75.
///
/// x·P(u) with P = LOW + u⁸·HIGH a minimax polynomial in u = 2x²/3.75² − 1, constrained to erf(3.75) = 1.
#[inline(always)]
pub(super) fn erf<S: Simd>(s: S, x: S::V) -> S::V {
    const BOUND: f32 = 3.75;
    const HIGH: [f32; 6] = [-0.001_806_32, 0.004_764_572, -0.004_244_058_4, 0.005_443_223, -0.015_321_268, 0.027_265_68];
    const LOW: [f32; 8] = [-0.038_079_415, 0.052_875_5, -0.071_413_616, 0.090_853_9, -0.111_961_39, 0.139_262_26, -0.188_029_38, 0.377_057];
    let x = s.max(s.splat(-BOUND), s.min(s.splat(BOUND), x));
    let u = s.fma(s.mul(x, x), s.splat(2.0 / (BOUND * BOUND)), s.splat(-1.0));
    // In two parts, so that half as many terms wait for each other.
    let square = s.mul(u, u);
    let fourth = s.mul(square, square);
    s.mul(x, s.fma(polynomial(s, HIGH, u), s.mul(fourth, fourth), polynomial(s, LOW, u)))
}

/// 1 / (1 + e⁻ˣ).
#[inline(always)]
fn sigmoid<S: Simd>(s: S, x: S::V) -> S::V {
    let one = s.splat(1.0);
    s.div(one, s.add(one, exp(s, s.sub(s.splat(0.0), x))))
}

/// An activation.
#[inline(always)]
pub(super) fn activate<S: Simd>(s: S, f: Activation, x: S::V) -> S::V {
    match f {
        Activation::Gelu => {
            let half = s.mul(x, s.splat(0.5));
            s.fma(half, erf(s, s.mul(x, s.splat(std::f32::consts::FRAC_1_SQRT_2))), half)
        }
        // ½(1 + tanh y) is the sigmoid of 2y.
        Activation::GeluTanh => {
            const FACTOR: f32 = 1.595_769;
            let cubic = s.mul(s.mul(x, x), s.splat(0.044_715 * FACTOR));
            s.mul(x, sigmoid(s, s.mul(x, s.add(cubic, s.splat(FACTOR)))))
        }
        Activation::Silu => s.mul(x, sigmoid(s, x)),
    }
}
