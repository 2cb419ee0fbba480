//! Exponential, error function and the activations made of them: written once, in fused multiply-adds, for every lane width.

use super::simd::Simd;
use crate::program::Activation;

/// eˣ to 2 ulp, x clamped to [−87.3, 88.3].
///
/// x = n·ln 2 + r with whole n and |r| ≤ ½ ln 2; eʳ by its Taylor polynomial with the last coefficients refitted; 2ⁿ exact.
#[inline(always)]
pub(super) fn exp<S: Simd>(s: S, x: S::V) -> S::V {
    // 1.5·2²³ + 127 − 127: adding it rounds n to a whole number, which then stands in the lowest bits.
    const ROUND: f32 = 12_582_912.0;
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    const TERMS: [f32; 6] = [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0];
    let x = s.max(s.min(x, s.splat(88.3)), s.splat(-87.3));
    let shifted = s.fma(x, s.splat(std::f32::consts::LOG2_E), s.splat(ROUND));
    let n = s.sub(shifted, s.splat(ROUND));
    let r = s.fma(n, s.splat(-LN2_LOW), s.fma(n, s.splat(-LN2_HIGH), x));
    let mut sum = s.splat(1.0 / 5040.0);
    for term in TERMS {
        sum = s.fma(sum, r, s.splat(term));
    }
    s.mul(s.fma(sum, r, s.splat(1.0)), s.pow2(shifted))
}

/// The error function to 4e-7 absolute; exactly ±1 beyond ±3.75.
///
/// x·P(x²) with P a minimax polynomial in 2x²/3.75² − 1, constrained to erf(3.75) = 1.
#[inline(always)]
pub(super) fn erf<S: Simd>(s: S, x: S::V) -> S::V {
    const BOUND: f32 = 3.75;
    const P: [f32; 13] = [
        0.004_764_572,
        -0.004_244_058_4,
        0.005_443_223,
        -0.015_321_268,
        0.027_265_68,
        -0.038_079_415,
        0.052_875_5,
        -0.071_413_616,
        0.090_853_9,
        -0.111_961_39,
        0.139_262_26,
        -0.188_029_38,
        0.377_057,
    ];
    let x = s.max(s.min(x, s.splat(BOUND)), s.splat(-BOUND));
    let u = s.fma(s.mul(x, x), s.splat(2.0 / (BOUND * BOUND)), s.splat(-1.0));
    let mut sum = s.splat(-0.001_806_32);
    for coefficient in P {
        sum = s.fma(sum, u, s.splat(coefficient));
    }
    s.mul(x, sum)
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
