//! Every other operator at ragged shapes against float64 loops.

use super::case::{Case, activate, norm, window};
use crate::program::*;

fn inner(value: ValueId, rows: usize, columns: usize) -> Operand {
    Operand { value, rows: 1..rows - 1, columns: 2..columns - 1 }
}

/// Shapes of the value around the window: 1 and 1 more rows, 2 and 1 more columns.
const SHAPES: [[usize; 2]; 6] = [[3, 4], [3, 20], [9, 19], [7, 36], [300, 70], [4, 800]];

fn check(row_op: impl Fn(&mut Case, Operand, ValueId) -> Op, f: impl Fn(&Case, &[f64]) -> Vec<f64>) {
    for [rows, columns] in SHAPES {
        let mut case = Case::new();
        let value = case.input(rows, columns);
        let x = inner(value, rows, columns);
        let out = case.out(&x.shape());
        let op = row_op(&mut case, x.clone(), out);
        case.finish(op);
        case.check(2e-6, |inputs, _| window(&inputs[0], columns, &x).iter().flat_map(|row| f(&case, row)).collect());
    }
}

#[test]
fn norms() {
    check(
        |case, x, out| {
            let [gain, shift] = [0, 1].map(|_| Some(case.param(&[x.columns.len()])));
            Op::Norm(Norm { x, norm: RowNorm { eps: 1e-2, gain, shift }, out })
        },
        |case, row| norm(row, f64::from(1e-2f32), Some(case.values(ValueId::new(2))), Some(case.values(ValueId::new(3)))),
    );
}

#[test]
fn softmaxes() {
    check(
        |_, x, out| Op::Softmax(Softmax { x, out }),
        |_, row| {
            let sum: f64 = row.iter().map(|x| x.exp()).sum();
            row.iter().map(|x| x.exp() / sum).collect()
        },
    );
}

#[test]
fn activations() {
    for f in [Activation::Gelu, Activation::GeluTanh, Activation::Silu] {
        check(move |_, x, out| Op::Activate(Activate { x, f, out }), move |_, row| row.iter().map(|x| activate(f, *x)).collect());
    }
}

#[test]
fn affine_maps() {
    check(|_, x, out| Op::Affine(Affine { x, scale: -1.5, offset: 0.25, out }), |_, row| row.iter().map(|x| x * -1.5 + 0.25).collect());
}

#[test]
fn slices() {
    check(|_, x, out| Op::Slice(Slice { x, out }), |_, row| row.to_vec());
}

#[test]
fn sums_and_products_with_rows_and_parameters() {
    for f in [BinaryFn::Add, BinaryFn::Mul] {
        for (rows, is_param) in [(7, false), (1, false), (7, true), (1, true)] {
            let mut case = Case::new();
            let value = case.input(9, 40);
            let a = inner(value, 9, 40);
            let b = if is_param { case.param(&[rows, 37]) } else { case.input(rows, 37) };
            let b = case.program.whole(b);
            let out = case.out(&[7, 37]);
            case.finish(Op::Binary(Binary { f, a: a.clone(), b: b.clone(), out }));
            case.check(1e-6, |inputs, _| {
                let right = if is_param { case.values(b.value).to_vec() } else { inputs[1].clone() };
                let (left, right) = (window(&inputs[0], 40, &a), window(&right, 37, &b));
                let one = |row: usize, column: usize| match f {
                    BinaryFn::Add => left[row][column] + right[row % rows][column],
                    BinaryFn::Mul => left[row][column] * right[row % rows][column],
                };
                (0..7 * 37).map(|i| one(i / 37, i % 37)).collect()
            });
        }
    }
}

#[test]
fn joins() {
    let mut case = Case::new();
    let (a, b) = (case.input(5, 20), case.input(3, 40));
    let parts = vec![inner(a, 5, 20), Operand { value: b, rows: 0..2, columns: 4..21 }];
    let out = case.out(&[5, 17]);
    case.finish(Op::Join(Join { axis: JoinAxis::Rows, parts: parts.clone(), out }));
    case.check(0.0, |inputs, _| [window(&inputs[0], 20, &parts[0]), window(&inputs[1], 40, &parts[1])].concat().concat());

    let mut case = Case::new();
    let (a, b) = (case.input(5, 20), case.input(3, 40));
    let parts = vec![inner(a, 5, 20), Operand { value: b, rows: 0..3, columns: 4..9 }];
    let out = case.out(&[3, 22]);
    case.finish(Op::Join(Join { axis: JoinAxis::Columns, parts: parts.clone(), out }));
    case.check(0.0, |inputs, _| {
        let (left, right) = (window(&inputs[0], 20, &parts[0]), window(&inputs[1], 40, &parts[1]));
        left.into_iter().zip(right).flat_map(|(left, right)| [left, right].concat()).collect()
    });
}

#[test]
fn embeddings() {
    let mut case = Case::new();
    let label = case.program.add_value([], Origin::Label);
    let table = case.param(&[3, 21]);
    let out = case.out(&[1, 21]);
    case.finish(Op::Embedding(Embedding { label, table, out }));
    case.check(0.0, |_, label| case.values(table)[label * 21..][..21].iter().map(|x| f64::from(*x)).collect());
}
