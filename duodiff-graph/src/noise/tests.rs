//! Philox against the published vectors; the transform against float64 and against the normal distribution.

use super::*;

#[test]
fn philox_gives_the_published_answers() {
    // Random123, kat_vectors, philox4x32 10: counter, key, answer.
    let vectors = [
        ([0; 4], [0; 2], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
        ([u32::MAX; 4], [u32::MAX; 2], [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]),
        (
            [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
            [0xa409_3822, 0x299f_31d0],
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
        ),
    ];
    for (counter, key, answer) in vectors {
        assert_eq!(philox::block(counter, key), answer);
    }
}

#[test]
fn an_element_is_a_function_of_its_counter() {
    let noise = Philox { seed: 0x0123_4567_89ab_cdef };
    let (index, draw) = (0xfedc_ba98_7654_3210, 7);
    let mut out = [0.0; 131];
    noise.fill(index, draw, &mut out);
    for (element, found) in out.iter().enumerate() {
        let words = philox::block([element as u32 / 4, draw, 0x7654_3210, 0xfedc_ba98], [0x89ab_cdef, 0x0123_4567]);
        let pair = if element % 4 < 2 { gauss::pair(words[0], words[1]) } else { gauss::pair(words[2], words[3]) };
        assert_eq!(found.to_bits(), pair[element % 2].to_bits());
    }
    let mut shorter = [0.0; 30];
    noise.fill(index, draw, &mut shorter);
    assert_eq!(shorter, out[..30]);
}

#[test]
fn fused_hardware_and_software_give_equal_bits() {
    let mut software = vec![0.0; 1 << 16];
    let mut chosen = software.clone();
    for draw in 0..4 {
        gauss::fill_portable([draw, 1], [draw, 5, 6], &mut software);
        gauss::fill([draw, 1], [draw, 5, 6], &mut chosen);
        assert!(software.iter().zip(&chosen).all(|(a, b)| a.to_bits() == b.to_bits()));
    }
}

/// Computed once in exact rational arithmetic, rounded after every operation: a change of these bits changes every image.
#[test]
fn bits_stay() {
    let mut out = [0.0; 8];
    Philox { seed: 42 }.fill(3, 1, &mut out);
    let wanted = [3172481470, 1000774008, 1049859748, 3207825007, 3209017594, 1066129571, 3175936477, 1070518719];
    assert_eq!(out.map(f32::to_bits), wanted);
}

#[test]
fn transform_agrees_with_float64() {
    let words = (0..1_u32 << 16).map(|i| i << 16 | 0x5a5a).chain([0, 1, 2, u32::MAX, u32::MAX - 1, 1 << 29, (1 << 29) - 1, 1 << 31]);
    for word in words {
        let uniform = (f64::from(word) + 0.5) / 4_294_967_296.0;
        let ln = f64::from(gauss::ln(uniform as f32));
        let wanted = f64::from(uniform as f32).ln();
        assert!((ln - wanted).abs() <= 2e-7 * wanted.abs(), "ln at {word}: {ln} {wanted}");
        let (sin, cos) = (f64::from(word) / 4_294_967_296.0 * std::f64::consts::TAU).sin_cos();
        let [c, s] = gauss::cos_sin(word).map(f64::from);
        assert!((c - cos).abs() < 1.2e-7 && (s - sin).abs() < 1.2e-7, "angle {word}");
    }
}

#[test]
fn extreme_words_give_finite_numbers() {
    for radius in [0, 1, u32::MAX, u32::MAX - 1, 1 << 31] {
        for angle in [0, 1, u32::MAX, 1 << 29, 1 << 30, 1 << 31, 3 << 30, (1 << 29) - 1] {
            let pair = gauss::pair(radius, angle);
            assert!(pair.iter().all(|value| value.is_finite() && value.abs() < 6.77), "{radius} {angle}: {pair:?}");
        }
    }
    assert!(gauss::pair(0, 0)[0] > 6.7);
    assert_eq!(gauss::pair(u32::MAX, 0)[0], 0.0);
}

/// Φ, by its continued series (Marsaglia 2004).
fn normal_distribution(x: f64) -> f64 {
    let (mut sum, mut term, mut i) = (x, x, 1.0);
    while term.abs() > 1e-17 {
        i += 2.0;
        term *= x * x / i;
        sum += term;
    }
    0.5 + sum * (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt()
}

#[test]
fn noise_is_normal() {
    let count = 1 << 20;
    let mut out = vec![0.0; count];
    Philox { seed: 1 }.fill(0, 0, &mut out);
    let mut sorted: Vec<f64> = out.iter().map(|value| f64::from(*value)).collect();
    let moment = |power| sorted.iter().map(|value: &f64| value.powi(power)).sum::<f64>() / count as f64;
    // Four standard errors of each moment.
    let error = 4.0 / (count as f64).sqrt();
    assert!(moment(1).abs() < error);
    assert!((moment(2) - 1.0).abs() < error * 2.0_f64.sqrt());
    assert!(moment(3).abs() < error * 15.0_f64.sqrt());
    assert!((moment(4) - 3.0).abs() < error * 96.0_f64.sqrt());
    let lag = |step: usize| sorted.windows(step + 1).map(|run| run[0] * run[step]).sum::<f64>() / count as f64;
    assert!([1, 2, 3, 4, 5].into_iter().all(|step| lag(step).abs() < error));
    sorted.sort_by(f64::total_cmp);
    let distance = sorted.iter().enumerate().map(|(i, value)| (normal_distribution(*value) - (i as f64 + 0.5) / count as f64).abs());
    let distance = distance.fold(0.0, f64::max);
    // Kolmogorov: 1.63/√n is exceeded once in a hundred.
    assert!(distance < 1.63 / (count as f64).sqrt(), "{distance}");
}

#[test]
fn draws_images_and_seeds_are_independent() {
    let count = 1 << 16;
    let fill = |seed, index, draw| {
        let mut out = vec![0.0; count];
        Philox { seed }.fill(index, draw, &mut out);
        out
    };
    let reference = fill(1, 0, 0);
    for other in [fill(2, 0, 0), fill(1 << 32 | 1, 0, 0), fill(1, 1, 0), fill(1, 1 << 32, 0), fill(1, 0, 1)] {
        let product: f64 = reference.iter().zip(&other).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
        assert!((product / count as f64).abs() < 4.0 / (count as f64).sqrt());
    }
}

#[test]
fn choices_are_uniform() {
    let noise = Philox { seed: 9 };
    let mut counts = [0_u32; 10];
    for index in 0..100_000 {
        counts[noise.choice(index, 10) as usize] += 1;
    }
    let chi: f64 = counts.iter().map(|count| (f64::from(*count) - 1e4).powi(2) / 1e4).sum();
    // χ² of nine degrees exceeds 27.9 once in a thousand.
    assert!(chi < 27.9, "{counts:?}");
    assert_eq!((noise.choice(5, 1), noise.choice(5, 0)), (0, 0));
}
