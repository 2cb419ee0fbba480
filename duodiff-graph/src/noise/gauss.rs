//! From random words to standard normal floats: Box and Muller's transform in explicit fused multiply-adds.
//!
//! Every operation is correctly rounded by IEEE 754 (fma, ×, ÷, √, conversion), so each target gives the same bits.

use std::f32::consts::FRAC_PI_2;

use super::philox;

/// Blocks computed together, for the compiler to lay side by side in vector registers.
const TOGETHER: usize = 16;

/// ln 2, rounded to 12 bits so that its product with an exponent is exact.
const LN_2_HIGH: f32 = 0.693_359_4;

/// What is left of ln 2.
const LN_2_LOW: f32 = -2.121_944_4e-4;

/// Bits of √½: mantissas are taken from [√½, √2).
const ROOT_HALF: u32 = 0x3F35_04F3;

/// Fills `out` with standard normal numbers; the counter's words are the block's number, then `tail`.
pub fn fill(key: [u32; 2], tail: [u32; 3], out: &mut [f32]) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma") {
        // SAFETY: the processor has both features.
        return unsafe { fill_avx2(key, tail, out) };
    }
    fill_portable(key, tail, out);
}

/// [`fill_portable`], compiled for AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
pub fn fill_avx2(key: [u32; 2], tail: [u32; 3], out: &mut [f32]) {
    fill_portable(key, tail, out);
}

/// [`fill`] without regard to the processor.
#[inline(always)]
pub fn fill_portable(key: [u32; 2], tail: [u32; 3], out: &mut [f32]) {
    for (chunk, part) in out.chunks_mut(4 * TOGETHER).enumerate() {
        let mut normals = [[0.0; 4]; TOGETHER];
        for (i, quad) in normals.iter_mut().enumerate() {
            let number = (chunk * TOGETHER + i) as u32;
            let words = philox::block([number, tail[0], tail[1], tail[2]], key);
            let ([first, second], [third, fourth]) = (pair(words[0], words[1]), pair(words[2], words[3]));
            *quad = [first, second, third, fourth];
        }
        part.copy_from_slice(&normals.as_flattened()[..part.len()]);
    }
}

/// Two independent standard normal numbers from two uniform words: √(−2 ln u)·(cos θ, sin θ).
///
/// u = (word + ½)/2³² lies in [2⁻³³, 1], so the result is finite and at most 6.77.
#[inline(always)]
pub fn pair(radius: u32, angle: u32) -> [f32; 2] {
    let uniform = (radius as f32).mul_add(1.0 / 4_294_967_296.0, 0.5 / 4_294_967_296.0);
    let radius = (-2.0 * ln(uniform)).abs().sqrt();
    let [cos, sin] = cos_sin(angle);
    [radius * cos, radius * sin]
}

/// Natural logarithm of a normal number in (0, 1]: ln(2ᵉ·m) = e·ln 2 + 2 artanh((m − 1)/(m + 1)).
#[inline(always)]
pub fn ln(x: f32) -> f32 {
    let bits = x.to_bits();
    let exponent = (bits.wrapping_sub(ROOT_HALF) as i32) >> 23;
    let f = f32::from_bits(bits.wrapping_sub((exponent as u32) << 23)) - 1.0;
    let s = f / (2.0 + f);
    let z = s * s;
    let series = z.mul_add(2.0 / 9.0, 2.0 / 7.0);
    let series = z.mul_add(series, 2.0 / 5.0);
    let series = z.mul_add(series, 2.0 / 3.0);
    let exponent = exponent as f32;
    let small = exponent.mul_add(LN_2_LOW, (s * z) * series);
    exponent.mul_add(LN_2_HIGH, s.mul_add(2.0, small))
}

/// cos and sin of `word`/2³² turns.
#[inline(always)]
pub fn cos_sin(word: u32) -> [f32; 2] {
    // The nearest quarter turn, and what is left of the angle: −½..½ of a quarter turn.
    let quarter = word.wrapping_add(1 << 29) >> 30;
    let rest = word.wrapping_sub(quarter << 30) as i32;
    let x = (rest as f32 * (1.0 / 1_073_741_824.0)) * FRAC_PI_2;
    let z = x * x;
    let sin = z.mul_add(2.755_731_9e-6, -1.984_127e-4);
    let sin = z.mul_add(sin, 8.333_333e-3);
    let sin = z.mul_add(sin, -1.666_666_7e-1);
    let sin = (x * z).mul_add(sin, x);
    let cos = z.mul_add(-2.755_732e-7, 2.480_158_7e-5);
    let cos = z.mul_add(cos, -1.388_888_9e-3);
    let cos = z.mul_add(cos, 4.166_666_8e-2);
    let cos = z.mul_add(cos, -0.5);
    let cos = z.mul_add(cos, 1.0);
    let [c, s] = if quarter & 1 == 1 { [sin, cos] } else { [cos, sin] };
    let sign_c = (quarter.wrapping_add(1) & 2) << 30;
    let sign_s = (quarter & 2) << 30;
    [f32::from_bits(c.to_bits() ^ sign_c), f32::from_bits(s.to_bits() ^ sign_s)]
}
