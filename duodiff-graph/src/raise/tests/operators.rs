//! raise(build(operator)) = operator.

use super::ops;
use crate::build::tests::reference::input;
use crate::build::{self, *};
use crate::program::{
    Activate, Activation, Affine, Attention, Binary, BinaryFn, Conv3x3, Embedding, Join, JoinAxis, Linear, Norm, Op, Operand, Patchify,
    RowNorm, Slice, Softmax, Unpatchify, ValueId,
};

fn v(index: usize) -> ValueId {
    ValueId::new(index)
}

fn whole(value: usize, rows: usize, columns: usize) -> Operand {
    Operand { value: v(value), rows: 0..rows, columns: 0..columns }
}

fn plain_linear(x: Operand, weight: usize, bias: Option<usize>, out: usize) -> Op {
    Op::Linear(Linear { sources: vec![x], norm: None, weight: v(weight), bias: bias.map(v), activation: None, residual: None, out: v(out) })
}

#[test]
fn linear_is_recognised() {
    let with = ops(|b| {
        let x = input::<4, 3>(b, 0);
        linear::<4, 3, 5>(b, &x, "w", Bias::With)
    });
    assert_eq!(with, [plain_linear(whole(0, 4, 3), 1, Some(2), 3)]);
    let without = ops(|b| {
        let x = input::<3, 3>(b, 0);
        linear::<3, 3, 3>(b, &x, "w", Bias::Without)
    });
    assert_eq!(without, [plain_linear(whole(0, 3, 3), 1, None, 2)]);
}

#[test]
fn norm_is_recognised() {
    let norm = |gain, shift| RowNorm { eps: 1e-3, gain, shift };
    assert_eq!(ops(|b| build::norm(&input::<4, 6>(b, 0), 1e-3)), [Op::Norm(Norm { x: whole(0, 4, 6), norm: norm(None, None), out: v(1) })]);
    let affine = ops(|b| {
        let x = input::<4, 6>(b, 0);
        norm_affine(b, &x, "n", 1e-3)
    });
    assert_eq!(affine, [Op::Norm(Norm { x: whole(0, 4, 6), norm: norm(Some(v(1)), Some(v(2))), out: v(3) })]);
}

#[test]
fn attention_is_recognised() {
    let found = ops(|b| {
        let x = input::<5, 18>(b, 0);
        attention::<5, 5, 6, 2, 3>(&columns::<5, 18, 6>(&x, 0), &columns::<5, 18, 6>(&x, 6), &columns::<5, 18, 6>(&x, 12))
    });
    let part = |start, out| Op::Slice(Slice { x: whole(0, 5, 18).window(0..5, start..start + 6), out: v(out) });
    let (q, k, v_) = (whole(1, 5, 6), whole(2, 5, 6), whole(3, 5, 6));
    let scale = 1.0 / 3.0_f32.sqrt();
    assert_eq!(found, [part(0, 1), part(6, 2), part(12, 3), Op::Attention(Attention { q, k, v: v_, heads: 2, scale, out: v(4) })]);
}

#[test]
fn activations_are_recognised() {
    let activate = |f| [Op::Activate(Activate { x: whole(0, 2, 3), f, out: v(1) })];
    assert_eq!(ops(|b| gelu(&input::<2, 3>(b, 0))), activate(Activation::Gelu));
    assert_eq!(ops(|b| gelu_tanh(&input::<2, 3>(b, 0))), activate(Activation::GeluTanh));
    assert_eq!(ops(|b| silu(&input::<2, 3>(b, 0))), activate(Activation::Silu));
}

#[test]
fn softmax_is_recognised() {
    assert_eq!(ops(|b| softmax(&input::<2, 3>(b, 0))), [Op::Softmax(Softmax { x: whole(0, 2, 3), out: v(1) })]);
}

#[test]
fn sums_and_products_are_recognised() {
    let binary = |f, a, b, out| [Op::Binary(Binary { f, a, b, out: v(out) })];
    let two = |f: fn(&Tokens<2, 3>, &Tokens<2, 3>) -> Tokens<2, 3>| ops(|b| f(&input::<2, 3>(b, 0), &input::<2, 3>(b, 1)));
    assert_eq!(two(add), binary(BinaryFn::Add, whole(0, 2, 3), whole(1, 2, 3), 2));
    assert_eq!(two(mul), binary(BinaryFn::Mul, whole(0, 2, 3), whole(1, 2, 3), 2));
    let row = |f: fn(&Tokens<2, 3>, &Tokens<1, 3>) -> Tokens<2, 3>| ops(|b| f(&input::<2, 3>(b, 0), &input::<1, 3>(b, 1)));
    assert_eq!(row(add_row), binary(BinaryFn::Add, whole(0, 2, 3), whole(1, 1, 3), 2));
    assert_eq!(row(mul_row), binary(BinaryFn::Mul, whole(0, 2, 3), whole(1, 1, 3), 2));
}

#[test]
fn a_parameter_beside_tokens_is_the_second_operand() {
    let wanted = |tokens, param| [Op::Binary(Binary { f: BinaryFn::Add, a: whole(tokens, 2, 3), b: whole(param, 2, 3), out: v(2) })];
    let right = ops(|b| {
        let x = input::<2, 3>(b, 0);
        add(&x, &b.param::<2, 3>("p", &[1, 2, 3]))
    });
    assert_eq!(right, wanted(0, 1));
    let left = ops(|b| {
        let p = b.param::<2, 3>("p", &[1, 2, 3]);
        add(&p, &input::<2, 3>(b, 0))
    });
    assert_eq!(left, wanted(1, 0));
}

#[test]
fn scale_and_offset_are_recognised() {
    let affine = |scale, offset| [Op::Affine(Affine { x: whole(0, 2, 3), scale, offset, out: v(1) })];
    assert_eq!(ops(|b| scale(&input::<2, 3>(b, 0), 0.5)), affine(0.5, 0.0));
    assert_eq!(ops(|b| offset(&input::<2, 3>(b, 0), 0.5)), affine(1.0, 0.5));
}

#[test]
fn joins_are_recognised() {
    let join = |axis, parts| [Op::Join(Join { axis, parts, out: v(2) })];
    let tokens = ops(|b| join_tokens::<2, 3, 5, 4>(&input::<2, 4>(b, 0), &input::<3, 4>(b, 1)));
    assert_eq!(tokens, join(JoinAxis::Rows, vec![whole(0, 2, 4), whole(1, 3, 4)]));
    let features = ops(|b| join_features::<3, 2, 4, 6>(&input::<3, 2>(b, 0), &input::<3, 4>(b, 1)));
    assert_eq!(features, join(JoinAxis::Columns, vec![whole(0, 3, 2), whole(1, 3, 4)]));
}

#[test]
fn slices_are_recognised() {
    let slice = |rows, columns| [Op::Slice(Slice { x: Operand { value: v(0), rows, columns }, out: v(1) })];
    assert_eq!(ops(|b| rows::<7, 3, 2>(&input::<7, 3>(b, 0), 4)), slice(4..6, 0..3));
    assert_eq!(ops(|b| columns::<3, 7, 2>(&input::<3, 7>(b, 0), 4)), slice(0..3, 4..6));
    assert_eq!(ops(|b| columns::<3, 7, 7>(&input::<3, 7>(b, 0), 0)), slice(0..3, 0..7));
}

#[test]
fn a_joined_parameter_is_copied_first() {
    let found = ops(|b| {
        let p = b.param::<1, 4>("p", &[4]);
        join_tokens::<1, 3, 4, 4>(&p, &input::<3, 4>(b, 0))
    });
    let copy = Op::Slice(Slice { x: whole(0, 1, 4), out: v(2) });
    assert_eq!(found, [copy, Op::Join(Join { axis: JoinAxis::Rows, parts: vec![whole(2, 1, 4), whole(1, 3, 4)], out: v(3) })]);
}

#[test]
fn embedding_is_recognised() {
    let found = ops(|b| embedding::<5, 3>(b, "e"));
    assert_eq!(found, [Op::Embedding(Embedding { label: v(1), table: v(0), out: v(2) })]);
    assert_eq!(ops(|b| embedding::<1, 1>(b, "e")).len(), 1);
}

#[test]
fn patches_are_recognised() {
    let embed = ops(|b| {
        let image = b.image::<2, 4, 6>();
        patch_embed::<2, 4, 6, 2, 2, 3, 6, 8, 5>(b, &image, "e")
    });
    let patches = Op::Patchify(Patchify { image: v(0), patch: 2, out: v(1) });
    assert_eq!(embed, [patches, plain_linear(whole(1, 6, 8), 2, Some(3), 4)]);
    let back = ops(|b| unpatchify::<6, 8, 2, 4, 6, 2, 2, 3>(&input::<6, 8>(b, 0)));
    assert_eq!(back, [Op::Unpatchify(Unpatchify { x: whole(0, 6, 8), patch: 2, out: v(1) })]);
}

#[test]
fn convolution_is_recognised() {
    let found = ops(|b| {
        let image = b.image::<2, 4, 5>();
        conv3x3::<2, 4, 5, 6, 7, 20, 18, 3>(b, &image, "c")
    });
    assert_eq!(found, [Op::Conv3x3(Conv3x3 { x: v(0), weight: v(1), bias: v(2), out: v(3) })]);
    let tiny = ops(|b| {
        let image = b.image::<1, 1, 1>();
        conv3x3::<1, 1, 1, 3, 3, 1, 9, 1>(b, &image, "c")
    });
    assert_eq!(tiny.len(), 1);
}
