//! Exponential, error function and activations against libm in float64, and equal on every instruction set.

use super::case::{activate, bits};
use crate::cpu::Isa;
use crate::cpu::math;
use crate::cpu::simd::{Kernel, LANES, Simd};
use crate::program::Activation;

#[derive(Clone, Copy, Debug)]
enum Function {
    Exp,
    Exp2,
    Erf,
    Activate(Activation),
}

struct Map<'a>(Function, &'a mut [f32]);

impl Kernel for Map<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for x in self.1.chunks_mut(LANES) {
            let v = s.read(x);
            let y = match self.0 {
                Function::Exp => math::exp(s, v),
                Function::Exp2 => math::exp2(s, v),
                Function::Erf => math::erf(s, v),
                Function::Activate(f) => math::activate(s, f, v),
            };
            s.write(x, y);
        }
    }
}

fn map(function: Function, x: &[f32]) -> Vec<f32> {
    let run = |isa: Isa| {
        let mut y = x.to_vec();
        isa.run(Map(function, &mut y));
        y
    };
    let portable = run(Isa::Portable);
    for isa in Isa::available() {
        assert!(bits(&portable) == bits(&run(isa)), "{isa:?}");
    }
    portable
}

/// `count` + 1 floats from `from` to `to`.
fn grid(from: f32, to: f32, count: usize) -> Vec<f32> {
    (0..=count).map(|i| from + (to - from) * i as f32 / count as f32).collect()
}

#[test]
fn what_is_no_number_stays_none() {
    let activations = [Activation::Gelu, Activation::GeluTanh, Activation::Silu].map(Function::Activate);
    for function in [Function::Exp, Function::Exp2, Function::Erf].into_iter().chain(activations) {
        for isa in Isa::available() {
            let mut x = [0.5, f32::NAN, -0.5, -f32::NAN];
            isa.run(Map(function, &mut x));
            assert_eq!(x.map(f32::is_nan), [false, true, false, true], "{function:?} on {isa:?}: {x:?}");
        }
    }
}

#[test]
fn exp_is_within_2_ulp() {
    for x in [grid(-87.3, 87.3, 200_003), grid(-1.0, 1.0, 50_001), vec![0.0, -0.0, 1e-30, f32::MIN_POSITIVE]] {
        check_ulps(Function::Exp, &x, f64::exp);
    }
}

#[test]
fn exp2_is_within_2_ulp() {
    for x in [grid(-126.0, 0.0, 200_003), grid(-2.0, 0.0, 100_001), vec![0.0, -0.0, -1e-30, -f32::MIN_POSITIVE]] {
        check_ulps(Function::Exp2, &x, f64::exp2);
    }
    assert_eq!(map(Function::Exp2, &[0.0, -1.0, -20.0, -126.0]), [1.0, 0.5, 0.5f32.powi(20), f32::MIN_POSITIVE]);
    assert_eq!(map(Function::Exp2, &[-1e30, f32::NEG_INFINITY]), [f32::MIN_POSITIVE; 2]);
}

fn check_ulps(function: Function, x: &[f32], wanted: fn(f64) -> f64) {
    for (x, y) in x.iter().zip(map(function, x)) {
        let wanted = wanted(f64::from(*x));
        let ulp = f64::from((wanted as f32).next_up()) - f64::from(wanted as f32);
        assert!((f64::from(y) - wanted).abs() <= 2.0 * ulp, "{function:?}({x}) = {y}, wanted {wanted}");
    }
}

#[test]
fn exp_stays_finite_and_vanishes() {
    let y = map(Function::Exp, &[f32::NEG_INFINITY, -1e30, 1e30, f32::INFINITY]);
    assert!(y[0] < 1.3e-38 && y[1] < 1.3e-38 && y[2] > 8e37 && y[3].is_finite(), "{y:?}");
}

#[test]
fn erf_is_within_1e_6() {
    for x in [grid(-6.0, 6.0, 200_003), grid(-1e-3, 1e-3, 1001), vec![1e30, f32::INFINITY]] {
        for (x, y) in x.iter().zip(map(Function::Erf, &x)) {
            let wanted = libm::erf(f64::from(*x));
            assert!((f64::from(y) - wanted).abs() <= 4e-7, "erf({x}) = {y}, wanted {wanted}");
        }
    }
    assert_eq!(map(Function::Erf, &[3.75, -3.75, 100.0, -f32::INFINITY]), [1.0, -1.0, 1.0, -1.0]);
}

#[test]
fn activations_are_within_1e_6() {
    for f in [Activation::Gelu, Activation::GeluTanh, Activation::Silu] {
        for range in [grid(-3.0, 3.0, 100_001), grid(-30.0, 0.0, 10_001), grid(0.0, 30.0, 10_001)] {
            for (x, y) in range.iter().zip(map(Function::Activate(f), &range)) {
                let wanted = activate(f, f64::from(*x));
                let bound = 1e-6 * wanted.abs().max(1.0);
                assert!((f64::from(y) - wanted).abs() <= bound, "{f:?}({x}) = {y}, wanted {wanted}");
            }
        }
    }
}
