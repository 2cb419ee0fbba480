//! Primitive operators over permuted, padded, sliced and broadcast views.

use super::case::Case;
use crate::program::*;

fn axis(length: usize) -> Axis {
    Axis { length: Some(length), broadcast: false, padding: (0, 0), slice: None }
}

const BATCH: Axis = Axis { length: None, broadcast: false, padding: (0, 0), slice: None };

/// Runs `f` on a view of a `[3, 5]` value per image and compares with `wanted(value)`.
fn check(f: PrimitiveFn, view: impl Fn(ValueId) -> Vec<View>, shape: &[usize], wanted: impl Fn(&dyn Fn(usize, usize) -> f64) -> Vec<f64>) {
    let mut case = Case::new();
    let x = case.input(3, 5);
    let out = case.out(shape);
    case.finish(Op::Primitive(Primitive { f, inputs: view(x), out }));
    case.check(1e-6, |inputs, _| wanted(&|row, column| f64::from(inputs[0][row * 5 + column])));
}

fn plain(value: ValueId) -> View {
    View { value, axes: vec![BATCH, axis(3), axis(5)], order: vec![0, 1, 2] }
}

#[test]
fn functions_of_one() {
    type Function = fn(f64) -> f64;
    let cases: [(PrimitiveFn, Function); 6] = [
        (PrimitiveFn::Contiguous, |x| x),
        (PrimitiveFn::Exp2, f64::exp2),
        (PrimitiveFn::Log2, f64::log2),
        (PrimitiveFn::Sin, f64::sin),
        (PrimitiveFn::Sqrt, f64::sqrt),
        (PrimitiveFn::Recip, f64::recip),
    ];
    for (f, wanted) in cases {
        let mut case = Case::new();
        let x = case.input(3, 5);
        let x = case.program.whole(x);
        let positive = case.out(&[3, 5]);
        case.program.ops.push(Op::Affine(Affine { x, scale: 0.5, offset: 2.0, out: positive }));
        let out = case.out(&[3, 5]);
        case.finish(Op::Primitive(Primitive { f, inputs: vec![plain(positive)], out }));
        case.check(1e-6, |inputs, _| inputs[0].iter().map(|x| wanted(0.5 * f64::from(*x) + 2.0)).collect());
    }
}

#[test]
fn views_permute_pad_slice_and_broadcast() {
    let view = |value| {
        let rows = Axis { padding: (1, 2), slice: Some((0, 5)), ..axis(3) };
        let columns = Axis { slice: Some((1, 4)), ..axis(5) };
        let repeated = Axis { broadcast: true, ..axis(2) };
        vec![View { value, axes: vec![BATCH, rows, repeated, columns], order: vec![0, 3, 1, 2] }]
    };
    check(PrimitiveFn::Contiguous, view, &[3, 5, 2], |x| {
        let one = |i: usize| {
            let (column, row) = (i / 10 + 1, i / 2 % 5);
            if (1..4).contains(&row) { x(row - 1, column) } else { 0.0 }
        };
        (0..30).map(one).collect()
    });
}

#[test]
fn functions_of_two() {
    let views = |x| {
        vec![
            plain(x),
            View { value: x, axes: vec![BATCH, axis(3), Axis { slice: Some((0, 5)), padding: (1, 0), ..axis(5) }], order: vec![0, 1, 2] },
        ]
    };
    let shifted = |x: &dyn Fn(usize, usize) -> f64, i: usize| if i.is_multiple_of(5) { 0.0 } else { x(i / 5, i % 5 - 1) };
    check(PrimitiveFn::Add, views, &[3, 5], |x| (0..15).map(|i| x(i / 5, i % 5) + shifted(x, i)).collect());
    check(PrimitiveFn::Mul, views, &[3, 5], |x| (0..15).map(|i| x(i / 5, i % 5) * shifted(x, i)).collect());
    check(PrimitiveFn::LessThan, views, &[3, 5], |x| (0..15).map(|i| if x(i / 5, i % 5) < shifted(x, i) { 1.0 } else { 0.0 }).collect());
}

#[test]
fn reductions() {
    check(PrimitiveFn::SumReduce(1), |x| vec![plain(x)], &[5], |x| (0..5).map(|c| (0..3).map(|r| x(r, c)).sum()).collect());
    check(
        PrimitiveFn::MaxReduce(2),
        |x| vec![plain(x)],
        &[3],
        |x| (0..3).map(|r| (0..5).map(|c| x(r, c)).fold(f64::MIN, f64::max)).collect(),
    );
}

#[test]
fn constants_are_shared() {
    let mut case = Case::new();
    let x = case.input(3, 5);
    let constant = case.program.add_value([], Origin::Shared);
    case.program.ops.push(Op::Primitive(Primitive { f: PrimitiveFn::Constant(2.5), inputs: vec![], out: constant }));
    let out = case.out(&[3, 5]);
    let broadcast = |axis: Axis| Axis { broadcast: true, ..axis };
    let repeated = View { value: constant, axes: vec![broadcast(BATCH), broadcast(axis(3)), broadcast(axis(5))], order: vec![0, 1, 2] };
    case.finish(Op::Primitive(Primitive { f: PrimitiveFn::Mul, inputs: vec![plain(x), repeated], out }));
    case.check(1e-6, |inputs, _| inputs[0].iter().map(|x| 2.5 * f64::from(*x)).collect());
}
