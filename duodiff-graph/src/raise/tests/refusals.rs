//! Near misses of every recogniser: they stay primitives, and the report says why.

use luminal::op;
use luminal::prelude::symbolic::Expression;
use luminal::prelude::{Axes3, Axis, Const, GraphTensor, Matmul};

use super::refused;
use crate::build::tests::reference::input;
use crate::build::{Batch, Builder, Tensor, formulas};

type Tokens<const L: usize, const D: usize> = GraphTensor<(Batch, Const<L>, Const<D>)>;

/// Tokens that are an input, as luminal's tensor.
fn tokens<const L: usize, const D: usize>(b: &mut Builder, index: usize) -> Tokens<L, D> {
    *input::<L, D>(b, index).0
}

#[track_caller]
fn because(report: &str, reason: &str) {
    assert!(report.contains(reason), "{report}");
}

#[test]
fn linear_with_an_untransposed_weight() {
    let report = refused("linear", |b| {
        let weight = b.parameter::<(Const<3>, Const<3>)>("w", vec![3, 3], &[3, 3]);
        Tensor::new(tokens::<2, 3>(b, 0).matmul(weight))
    });
    because(&report, "is no linear: node 2 reads an operand in another shape or order");
}

#[test]
fn linear_with_a_computed_weight() {
    let report = refused("linear", |b| {
        let weight = b.parameter::<(Const<3>, Const<3>)>("w", vec![3, 3], &[3, 3]);
        Tensor::new(formulas::formula_linear(tokens::<2, 3>(b, 0), weight + weight))
    });
    because(&report, "is not a parameter");
}

#[test]
fn norm_whose_centred_tokens_are_read_elsewhere() {
    let report = refused("norm", |b| {
        let centred = tokens::<2, 3>(b, 0).mean_norm::<2>();
        Tensor::new(centred.std_norm::<2, _>(1e-5) + centred)
    });
    because(&report, "is no norm: the intermediate result of node 7 is also read by node 18");
}

#[test]
fn attention_without_a_scale() {
    refused("attention", |b| {
        let x = tokens::<2, 3>(b, 0);
        let weights = x.matmul(x.permute::<(Batch, Const<3>, Const<2>), Axes3<0, 2, 1>>()).softmax::<2>();
        Tensor::new(weights.matmul(x))
    });
}

/// GELU with another leading coefficient.
fn gelu_like(x: Tokens<2, 3>, leading: f32) -> Tokens<2, 3> {
    use std::f32::consts::{FRAC_1_SQRT_2, LOG2_E};
    let square = x * x;
    let a = square.sqrt();
    let t = (a * (0.327_591_1 * FRAC_1_SQRT_2) + 1.0).recip();
    let p = ((((t * leading + -1.453_152_1) * t + 1.421_413_7) * t + -0.284_496_72) * t + 0.254_829_6) * t;
    (x + a - a * p * (square * (-0.5 * LOG2_E)).exp2()) * 0.5
}

#[test]
fn gelu_with_a_constant_off_by_one_bit() {
    let coefficient = 1.061_405_4_f32;
    let near = f32::from_bits(coefficient.to_bits() + 1);
    let report = refused("gelu", |b| Tensor::new(gelu_like(tokens(b, 0), near)));
    because(&report, "is no gelu: a constant is 1.0614055, not 1.0614054");
}

#[test]
fn silu_with_two_ones() {
    refused("silu", |b| {
        let x = tokens::<2, 3>(b, 0);
        let graph = x.graph();
        let (one, other) = (graph.constant(1.0), graph.constant(1.0));
        Tensor::new(x * (one.expand() / (other.expand() + (-x).exp())))
    });
}

#[test]
fn gelu_tanh_of_another_cube() {
    refused("gelu_tanh", |b| {
        let (x, y) = (tokens::<2, 3>(b, 0), tokens::<2, 3>(b, 1));
        Tensor::new(x * ((x * x * y * 0.044_715 + x) * 1.595_769).sigmoid())
    });
}

#[test]
fn softmax_without_its_maximum() {
    refused("softmax", |b| {
        let e = tokens::<2, 3>(b, 0).exp();
        Tensor::new(e / e.sum_reduce::<(Batch, Const<2>), Axis<2>>().expand::<(Batch, Const<2>, Const<3>), Axis<2>>())
    });
}

#[test]
fn product_with_a_transposed_operand() {
    refused("mul", |b| {
        let x = tokens::<3, 3>(b, 0);
        Tensor::new(x * x.permute::<(Batch, Const<3>, Const<3>), Axes3<0, 2, 1>>())
    });
}

#[test]
fn scale_by_a_size() {
    refused("scale", |b| Tensor::new(tokens::<2, 3>(b, 0) * Expression::from(3)));
}

#[test]
fn join_of_parts_that_overlap() {
    refused("join_tokens", |b| {
        let (mut x, mut y) = (tokens::<3, 2>(b, 0), tokens::<3, 2>(b, 1));
        x.shape.padding[1].1 = 1.into();
        y.shape.padding[1].0 = 1.into();
        let node = x.graph().add_op(op::Add).input(x.id, 0, x.shape).input(y.id, 0, y.shape).finish();
        let shape = <(Batch, Const<4>, Const<2>) as luminal::prelude::Shape>::to_tracker();
        Tensor::new(Tokens::<4, 2>::from_id(node, shape, x.graph_ref))
    });
}

#[test]
fn slice_of_transposed_tokens() {
    refused("columns", |b| Tensor::new(tokens::<2, 3>(b, 0).permute::<(Batch, Const<3>, Const<2>), Axes3<0, 2, 1>>().contiguous()));
}

#[test]
fn embedding_of_something_computed() {
    let report = refused("embedding", |b| {
        let table = b.parameter::<(Const<5>, Const<3>)>("e", vec![5, 3], &[5, 3]);
        let next = b.label() + 1.0;
        Tensor::new(formulas::formula_embedding(table, next))
    });
    because(&report, "is no embedding: node 3 is not the label");
}

#[test]
fn patches_with_the_channel_fastest() {
    let permuted = |b: &mut Builder, axes: &[usize; 6]| {
        let image = b.image::<2, 4, 4>().0.no_shape();
        let sizes = ['b'.into(), 2.into(), 2.into(), 2.into(), 2.into(), 2.into()];
        let mut view = luminal::prelude::ShapeTracker::new(&sizes);
        view.permute(axes);
        let node = image.graph().add_op(op::Contiguous).input(image.id, 0, view).finish();
        let shape = <(Batch, Const<4>, Const<8>) as luminal::prelude::Shape>::to_tracker();
        Tensor::new(Tokens::<4, 8>::from_id(node, shape, image.graph_ref))
    };
    refused("patchify", |b| permuted(b, &[0, 2, 4, 3, 5, 1]));
    refused("unpatchify", |b| permuted(b, &[0, 5, 1, 3, 4, 2]));
}

#[test]
fn convolution_with_a_flat_weight() {
    let report = refused("conv3x3", |b| {
        let image = *b.image::<2, 3, 4>().0;
        let weight = b.parameter::<(Const<5>, Const<18>)>("w", vec![5, 18], &[5, 18]);
        let bias = b.parameter::<(Const<5>,)>("b", vec![5], &[5]);
        let y = formulas::formula_conv3x3::<_, _, _, Const<12>, _, _>(image, weight, bias);
        Tensor::new(y)
    });
    because(&report, "linear");
    because(&report, "is no conv3x3: node 1 is not a parameter of the right shape");
}
