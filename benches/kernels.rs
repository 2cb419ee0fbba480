//! Each family of kernels at the shapes of the ready pairs: its rate, and its share of what the machine can do.

use criterion::{Criterion, Throughput};
use duodiff::graph::cpu::bench::{Single, Update};
use duodiff::graph::process::{Settings, Steps};
use duodiff::graph::program::*;
use duodiff::{Cifar10, Pair};

use crate::measure::{fast, measure};
use crate::operator::Operator;
use crate::peak::Work;

/// All families.
pub fn kernels(criterion: &mut Criterion) {
    family(criterion, "linear", &linears());
    family(criterion, "attention", &attentions());
    family(criterion, "norm", &[("D512 M1028", 4, |o| norm(o, 257, 512))]);
    family(criterion, "softmax", &[("D257 M1028", 4, |o| softmax(o, 257, 257))]);
    family(criterion, "pointwise", &pointwise());
    family(criterion, "conv", &[("3x32x32 B4", 4, |o| conv(o, 3, 32)), ("3x64x64 B4", 4, |o| conv(o, 3, 64))]);
    family(criterion, "patches", &patches());
    family(criterion, "move", &[("join tokens D512 M1028", 4, join)]);
    family(criterion, "primitive", &[("exp2 D512 M257", 1, exp2), ("sum D512 M257", 1, sum)]);
    update(criterion);
}

/// Name, images, and what makes the operator.
type Kernel = (&'static str, usize, fn(&mut Operator) -> Op);

fn family(criterion: &mut Criterion, family: &str, kernels: &[Kernel]) {
    let mut group = fast(criterion, &format!("kernel/{family}"));
    let mut lines = Vec::new();
    for &(name, batch, make) in kernels {
        let mut operator = Operator::new(batch);
        let op = make(&mut operator);
        let (mut single, work): (Single, Work) = operator.finish(op);
        group.throughput(match work {
            Work::Flops(flops) => Throughput::Elements(flops),
            Work::Bytes(bytes) => Throughput::Bytes(bytes),
        });
        let seconds = measure(&mut group, name, || single.run());
        lines.extend(seconds.map(|seconds| format!("kernel/{family}/{name}: {}", work.rate(seconds))));
    }
    group.finish();
    lines.iter().for_each(|line| println!("{line}"));
}

/// The products of U-ViT-S/2's block at batch 4, and one of them at batch 1.
fn linears() -> [Kernel; 9] {
    [
        ("plain K512 N2048 M1028", 4, |o| linear(o, &[512], 2048, |_, _| ())),
        ("qkv, norm K512 N1536 M1028", 4, |o| linear(o, &[512], 1536, normed)),
        ("proj, residual K512 N512 M1028", 4, |o| linear(o, &[512], 512, residual)),
        ("fc1, norm, gelu K512 N2048 M1028", 4, |o| linear(o, &[512], 2048, |o, linear| activated(o, linear, Activation::Gelu))),
        ("fc1, norm, gelu_tanh K512 N2048 M1028", 4, |o| linear(o, &[512], 2048, |o, linear| activated(o, linear, Activation::GeluTanh))),
        ("fc1, norm, gelu K512 N2048 M257", 1, |o| linear(o, &[512], 2048, |o, linear| activated(o, linear, Activation::Gelu))),
        ("fc2, residual K2048 N512 M1028", 4, |o| linear(o, &[2048], 512, residual)),
        ("skip, two sources K1024 N512 M1028", 4, |o| linear(o, &[512, 512], 512, |_, _| ())),
        ("head, norm K512 N12 M1028", 4, |o| linear(o, &[512], 12, normed)),
    ]
}

fn linear(o: &mut Operator, k: &[usize], n: usize, fuse: impl FnOnce(&mut Operator, &mut Linear)) -> Op {
    let sources = k.iter().map(|&k| o.input(&[257, k])).collect::<Vec<_>>();
    let sources = sources.into_iter().map(|id| o.whole(id)).collect();
    let (weight, bias) = (o.param(&[n, k.iter().sum()]), Some(o.param(&[n])));
    let out = o.out(&[257, n]);
    let mut linear = Linear { sources, norm: None, weight, bias, activation: None, residual: None, out };
    fuse(o, &mut linear);
    Op::Linear(linear)
}

fn normed(o: &mut Operator, linear: &mut Linear) {
    linear.norm = Some(row_norm(o, linear.sources[0].columns.len()));
}

fn activated(o: &mut Operator, linear: &mut Linear, f: Activation) {
    normed(o, linear);
    linear.activation = Some(f);
}

fn residual(o: &mut Operator, linear: &mut Linear) {
    let id = o.input(&[257, 512]);
    linear.residual = Some(o.whole(id));
}

fn row_norm(o: &mut Operator, columns: usize) -> RowNorm {
    RowNorm { eps: 1e-5, gain: Some(o.param(&[columns])), shift: Some(o.param(&[columns])) }
}

/// Mnist's, Cifar10's and Imagenet256's.
fn attentions() -> [Kernel; 4] {
    [
        ("L50 H4 K32 B4", 4, |o| attention(o, 50, 4, 32)),
        ("L257 H8 K64 B1", 1, |o| attention(o, 257, 8, 64)),
        ("L257 H8 K64 B4", 4, |o| attention(o, 257, 8, 64)),
        ("L258 H16 K64 B1", 1, |o| attention(o, 258, 16, 64)),
    ]
}

fn attention(o: &mut Operator, rows: usize, heads: usize, width: usize) -> Op {
    let dim = heads * width;
    let qkv = o.input(&[rows, 3 * dim]);
    let qkv = o.whole(qkv);
    let [q, k, v] = [0, 1, 2].map(|part| qkv.window(0..rows, part * dim..(part + 1) * dim));
    Op::Attention(Attention { q, k, v, heads, scale: 1.0 / (width as f32).sqrt(), out: o.out(&[rows, dim]) })
}

/// An input and an output of the same shape.
fn through(o: &mut Operator, rows: usize, columns: usize) -> (Operand, ValueId) {
    let x = o.input(&[rows, columns]);
    (o.whole(x), o.out(&[rows, columns]))
}

fn norm(o: &mut Operator, rows: usize, columns: usize) -> Op {
    let (x, out) = through(o, rows, columns);
    Op::Norm(Norm { x, norm: row_norm(o, columns), out })
}

fn softmax(o: &mut Operator, rows: usize, columns: usize) -> Op {
    let (x, out) = through(o, rows, columns);
    Op::Softmax(Softmax { x, out })
}

fn pointwise() -> [Kernel; 4] {
    [
        ("gelu D2048 M1028", 4, |o| activate(o, Activation::Gelu)),
        ("silu D2048 M1028", 4, |o| activate(o, Activation::Silu)),
        ("affine D512 M1028", 4, |o| {
            let (x, out) = through(o, 257, 512);
            Op::Affine(Affine { x, scale: 0.5, offset: 1.0, out })
        }),
        ("add D512 M1028", 4, |o| {
            let (a, out) = through(o, 257, 512);
            let b = o.input(&[257, 512]);
            Op::Binary(Binary { f: BinaryFn::Add, a, b: o.whole(b), out })
        }),
    ]
}

fn activate(o: &mut Operator, f: Activation) -> Op {
    let (x, out) = through(o, 257, 2048);
    Op::Activate(Activate { x, f, out })
}

fn conv(o: &mut Operator, channels: usize, side: usize) -> Op {
    let x = o.input(&[channels, side, side]);
    let (weight, bias) = (o.param(&[channels, channels, 3, 3]), o.param(&[channels]));
    Op::Conv3x3(Conv3x3 { x, weight, bias, out: o.out(&[channels, side, side]) })
}

/// Patches and pixels copied, and read by a product and a convolution without a copy.
fn patches() -> [Kernel; 4] {
    [
        ("patchify 3x32x32 B4", 4, patchify),
        ("unpatchify 3x32x32 B4", 4, unpatchify),
        ("linear of patches 3x32x32 N512 B4", 4, |o| {
            let op = patchify(o);
            let sources = vec![o.whole(op.out())];
            o.push(op);
            let (weight, bias) = (o.param(&[512, 12]), Some(o.param(&[512])));
            Op::Linear(Linear { sources, norm: None, weight, bias, activation: None, residual: None, out: o.out(&[256, 512]) })
        }),
        ("conv of patches 3x32x32 B4", 4, |o| {
            let op = unpatchify(o);
            let x = op.out();
            o.push(op);
            let (weight, bias) = (o.param(&[3, 3, 3, 3]), o.param(&[3]));
            Op::Conv3x3(Conv3x3 { x, weight, bias, out: o.out(&[3, 32, 32]) })
        }),
    ]
}

fn patchify(o: &mut Operator) -> Op {
    Op::Patchify(Patchify { image: o.input(&[3, 32, 32]), patch: 2, out: o.out(&[256, 12]) })
}

fn unpatchify(o: &mut Operator) -> Op {
    let x = o.input(&[256, 12]);
    Op::Unpatchify(Unpatchify { x: o.whole(x), patch: 2, out: o.out(&[3, 32, 32]) })
}

fn join(o: &mut Operator) -> Op {
    let parts = [o.input(&[1, 512]), o.input(&[256, 512])].map(|id| o.whole(id)).to_vec();
    Op::Join(Join { axis: JoinAxis::Rows, parts, out: o.out(&[257, 512]) })
}

fn exp2(o: &mut Operator) -> Op {
    primitive(o, PrimitiveFn::Exp2, &[257, 512])
}

fn sum(o: &mut Operator) -> Op {
    primitive(o, PrimitiveFn::SumReduce(2), &[257])
}

/// A primitive of `[257, 512]`, read as it lies.
fn primitive(o: &mut Operator, f: PrimitiveFn, out: &[usize]) -> Op {
    let axes = vec![Axis::whole(None), Axis::whole(Some(257)), Axis::whole(Some(512))];
    let view = View { value: o.input(&[257, 512]), axes, order: vec![0, 1, 2] };
    Op::Primitive(Primitive { f, inputs: vec![view], out: o.out(out) })
}

/// A step of DDIM on one image of Cifar10, on one thread as in a trajectory: x and f in, x and m out.
fn update(criterion: &mut Criterion) {
    let spec = Cifar10.spec();
    let row = Steps::new(&spec, &Settings::default()).expect("the default steps").rows[0];
    let elements = spec.image.elements();
    let (mut update, bytes) = (Update::new(row, elements), 4 * 4 * elements as u64);
    let mut group = fast(criterion, "kernel/update");
    group.throughput(Throughput::Bytes(bytes));
    let seconds = measure(&mut group, "ddim 3x32x32", || update.run());
    group.finish();
    if let Some(seconds) = seconds {
        println!("kernel/update/ddim 3x32x32: {}", Work::Bytes(bytes).rate(seconds));
    }
}
