//! The fused linear at ragged shapes against float64 loops.

use super::case::{Case, activate, norm, window};
use crate::cpu::kernels::near::FAR;
use crate::program::*;

/// What is fused, and the sizes.
#[derive(Clone, Copy)]
struct Shape {
    /// Rows of the value, and how many of the first are skipped.
    rows: [usize; 2],
    /// Columns that each source reads; 0 for a second source is none.
    k: [usize; 2],
    n: usize,
    norm: Option<[bool; 2]>,
    bias: bool,
    activation: Option<Activation>,
    residual: bool,
}

const PLAIN: Shape = Shape { rows: [13, 0], k: [40, 0], n: 40, norm: None, bias: false, activation: None, residual: false };

fn check(shape: Shape) {
    let Shape { rows: [rows, skipped], k, n, .. } = shape;
    let m = rows - skipped;
    let mut case = Case::new();
    // Each source is the middle of a value that is wider by 3 columns before and 2 after.
    let source = |case: &mut Case, k: usize| Operand { value: case.input(rows, k + 5), rows: skipped..rows, columns: 3..3 + k };
    let sources: Vec<Operand> = k.iter().filter(|&&k| k > 0).map(|&k| source(&mut case, k)).collect();
    let total: usize = k.iter().sum();
    let weight = case.param(&[n, total]);
    let bias = shape.bias.then(|| case.param(&[n]));
    let row_norm = shape.norm.map(|which| {
        let [gain, shift] = which.map(|has| has.then(|| case.param(&[total])));
        RowNorm { eps: 1e-5, gain, shift }
    });
    let residual = shape.residual.then(|| Operand { value: case.input(m + 1, n + 1), rows: 1..m + 1, columns: 1..n + 1 });
    let out = case.out(&[m, n]);
    let (activation, norm_of) = (shape.activation, row_norm.clone());
    let op = Linear { sources: sources.clone(), norm: row_norm, weight, bias, activation, residual: residual.clone(), out };
    case.finish(Op::Linear(op));
    let param = |id: ValueId| case.values(id);
    case.check(5e-6 * (total as f64).sqrt(), |inputs, _| {
        let parts: Vec<_> = sources.iter().zip(inputs).map(|(source, data)| window(data, source.columns.len() + 5, source)).collect();
        let added = residual.as_ref().map(|operand| window(&inputs[sources.len()], n + 1, operand));
        let mut wanted = Vec::new();
        for row in 0..m {
            let mut x: Vec<f64> = parts.iter().flat_map(|part| part[row].clone()).collect();
            if let Some(of) = &norm_of {
                x = norm(&x, 1e-5, of.gain.map(param), of.shift.map(param));
            }
            for column in 0..n {
                let weight = &param(weight)[column * total..][..total];
                let product: f64 = x.iter().zip(weight).map(|(x, w)| x * f64::from(*w)).sum();
                let y = product + bias.map_or(0.0, |bias| f64::from(param(bias)[column]));
                let y = activation.map_or(y, |f| activate(f, y));
                wanted.push(y + added.as_ref().map_or(0.0, |added| added[row][column]));
            }
        }
        wanted
    });
}

#[test]
fn every_height_and_width_of_tile() {
    for rows in [1, 2, 3, 5, 6, 7, 8, 9, 12, 14, 24, 25] {
        check(Shape { rows: [rows, 0], ..PLAIN });
    }
    for n in [1, 8, 15, 16, 17, 31, 32, 33, 48, 49] {
        check(Shape { n, ..PLAIN });
    }
}

#[test]
fn every_depth_of_chunk() {
    for k in [1, 7, 16, 512, 1023, 1024, 1025, 2050] {
        check(Shape { k: [k, 0], n: 17, ..PLAIN });
    }
}

#[test]
fn two_sources() {
    for k in [[3, 2], [16, 16], [500, 600], [1024, 1]] {
        check(Shape { k, ..PLAIN });
        check(Shape { k, norm: Some([true, true]), ..PLAIN });
    }
}

#[test]
fn norms() {
    for k in [1, 15, 16, 33, 700, 1100] {
        for norm in [[true, true], [true, false], [false, true], [false, false]] {
            check(Shape { k: [k, 0], norm: Some(norm), ..PLAIN });
        }
    }
}

#[test]
fn epilogues() {
    for activation in [None, Some(Activation::Gelu), Some(Activation::GeluTanh), Some(Activation::Silu)] {
        for (bias, residual) in [(false, true), (true, false), (true, true)] {
            check(Shape { bias, residual, activation, n: 37, ..PLAIN });
        }
    }
}

#[test]
fn windows_of_rows() {
    for rows in [[14, 1], [25, 2], [3, 2]] {
        check(Shape { rows, norm: Some([true, true]), residual: true, ..PLAIN });
    }
}

#[test]
fn many_tasks() {
    check(Shape { rows: [300, 0], k: [1100, 0], n: 70, ..PLAIN });
}

#[test]
fn outputs_that_have_left_the_caches() {
    // Those of three images, not of one alone. Two chunks of k, the last rows and columns no whole tile.
    let (rows, n) = (175, 525);
    assert!(3 * rows * n > FAR && rows * n < FAR);
    check(Shape { rows: [rows, 0], k: [1030, 0], n, bias: true, residual: true, ..PLAIN });
}
