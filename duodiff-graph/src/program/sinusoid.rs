//! The sinusoidal embedding of time, computed on the host: one rounding after each step, as the reference does in float32.

/// Writes the embedding `[cos | sin]` of `time` into `out` (even length, `[1, width]`).
///
/// `freq_i = exp(−ln 1e4 · i / half)`, `angle = time · freq_i`. Every step is rounded to float32; exp, cos and sin are
/// taken in float64 by a pure Rust library and rounded once, so the table has the same bits on every machine.
pub fn sinusoid(time: f32, out: &mut [f32]) {
    let half = out.len() / 2;
    let (cosines, sines) = out.split_at_mut(half);
    let rate = -(libm::log(1e4) as f32);
    for (i, (cosine, sine)) in cosines.iter_mut().zip(sines).enumerate() {
        let exponent = rate * i as f32 / half as f32;
        let frequency = libm::exp(f64::from(exponent)) as f32;
        let angle = f64::from(time * frequency);
        *cosine = libm::cos(angle) as f32;
        *sine = libm::sin(angle) as f32;
    }
}

#[cfg(test)]
mod tests {
    use super::sinusoid;

    #[test]
    fn time_zero_is_ones_and_zeros() {
        let mut out = [9.0; 6];
        sinusoid(0.0, &mut out);
        assert_eq!(out, [1.0, 1.0, 1.0, 0.0, 0.0, 0.0]);
    }

    /// PyTorch 2 in float32, by the four lines of the reference sampler; its own cos and sin are good to one unit in the last place.
    #[test]
    fn agrees_with_pytorch() {
        let expected = [
            0.004365409724414349,
            0.7074196934700012,
            0.7604344487190247,
            0.7654860615730286,
            0.9999904632568359,
            0.7067937254905701,
            0.6494146585464478,
            0.6434524655342102,
        ];
        let mut out = [0.0; 8];
        sinusoid(699.0, &mut out);
        for (found, expected) in out.iter().zip(expected) {
            assert!((found - expected as f32).abs() < 1.5e-7, "{found} {expected}");
        }
    }
}
