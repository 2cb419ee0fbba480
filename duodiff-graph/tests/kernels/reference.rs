//! Plain loops in float64.

use super::buffer::Element;

/// An activation, by its suffix in the names of kernels.
pub fn activate(name: &str, x: f64) -> f64 {
    match name {
        "gelu" => 0.5 * x * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2),
        "gelu_tanh" => 0.5 * x * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x * x * x)).tanh()),
        "silu" => x / (1.0 + (-x).exp()),
        _ => x,
    }
}

/// Rounded to 10 bits of mantissa, ties away from 0.
pub fn tf32(x: f64) -> f64 {
    f32::from_bits(((x as f32).to_bits() + 0x1000) & !0x1FFF).into()
}

/// Layer norm of a row.
pub fn norm(row: &[f64], eps: f64, gain: impl Fn(usize) -> f64, shift: impl Fn(usize) -> f64) -> Vec<f64> {
    let count = row.len() as f64;
    let mean = row.iter().sum::<f64>() / count;
    let variance = row.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / count;
    row.iter().enumerate().map(|(i, x)| (x - mean) / (variance + eps).sqrt() * gain(i) + shift(i)).collect()
}

/// Softmax of a row.
pub fn softmax(row: &[f64]) -> Vec<f64> {
    let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let exponentials: Vec<f64> = row.iter().map(|x| (x - largest).exp()).collect();
    let sum: f64 = exponentials.iter().sum();
    exponentials.into_iter().map(|x| x / sum).collect()
}

/// Each row of `found` is near that of `wanted`, relative to its largest value (at least 1e-3).
#[track_caller]
pub fn assert_near<E: Element>(found: &[E], wanted: &[f64], columns: usize, slack: f64) {
    assert_eq!(found.len(), wanted.len());
    for (row, (found, wanted)) in found.chunks(columns).zip(wanted.chunks(columns)).enumerate() {
        let scale = wanted.iter().fold(1e-3_f64, |largest, x| largest.max(x.abs()));
        for (column, (found, wanted)) in found.iter().zip(wanted).enumerate() {
            let error = (found.value() - wanted).abs() / scale;
            assert!(error <= slack * E::TOLERANCE, "row {row}, column {column}: {found:?}, wanted {wanted}, off by {error:.2e}");
        }
    }
}
