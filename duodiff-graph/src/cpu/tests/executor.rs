//! Whole networks against the float64 interpreter, and equal bits whatever the batch, threads and instruction set.

use super::case::bits;
use super::uvit::{self, SMALL, Size, floats};
use crate::cpu::{Cpu, CpuError, Isa, Memory, Options, batch};
use crate::executor::{Executor, ExecutorError, Traced};
use crate::interpret::{self, Inputs};
use crate::plan::Plan;
use crate::program::{Activation, Axis, Linear, Net, Op, Origin, Primitive, PrimitiveFn, Value, ValueId, View};
use crate::weights::Weights;

/// Two backbones; the shallow one's time goes through an MLP in the prelude, and is read by a primitive operator.
pub fn pair() -> (Plan, Vec<Weights>) {
    let shallow = read_by_primitive(time_mlp(uvit::net("shallow", Size { depth: 3, ..SMALL })));
    let nets = vec![shallow, uvit::net("deep", SMALL)];
    let weights = nets.iter().zip([5, 50]).map(|(net, seed)| uvit::weights(net, seed)).collect();
    (uvit::plan(nets, [SMALL.channels, SMALL.side, SMALL.side], SMALL.classes), weights)
}

fn time_mlp(mut net: Net) -> Net {
    let prelude = &mut net.prelude;
    let mut last = prelude.outputs[0];
    for (key, n, k, activation) in
        [("time.0", 4 * SMALL.dim, SMALL.dim, Some(Activation::Silu)), ("time.2", SMALL.dim, 4 * SMALL.dim, None)]
    {
        let mut param = |name: &str, shape: Vec<usize>| {
            let origin = Origin::Param { key: format!("{key}.{name}"), shape: shape.clone() };
            prelude.add_value(shape, origin)
        };
        let (weight, bias) = (param("weight", vec![n, k]), Some(param("bias", vec![n])));
        let out = prelude.add_value([1, n], Origin::Op);
        let sources = vec![prelude.whole(last)];
        prelude.ops.push(Op::Linear(Linear { sources, norm: None, weight, bias, activation, residual: None, out }));
        last = out;
    }
    prelude.outputs = vec![last];
    net
}

/// Reads a copy of the first step table, made by a primitive operator, wherever the table was read.
fn read_by_primitive(mut net: Net) -> Net {
    let body = &mut net.body;
    let is_table = |value: &Value| value.origin == Origin::StepTable(0);
    let table = ValueId::new(body.values.iter().position(is_table).expect("a step table"));
    let shape = body.value(table).shape.clone();
    let copy = body.add_value(shape.clone(), Origin::Op);
    for operand in body.ops.iter_mut().flat_map(Op::operands_mut).filter(|operand| operand.value == table) {
        operand.value = copy;
    }
    let axis = |length| Axis { length, broadcast: false, padding: (0, 0), slice: None };
    let axes: Vec<Axis> = [None].into_iter().chain(shape.into_iter().map(Some)).map(axis).collect();
    let view = View { value: table, order: (0..axes.len()).collect(), axes };
    body.ops.insert(0, Op::Primitive(Primitive { f: PrimitiveFn::Contiguous, inputs: vec![view], out: copy }));
    net
}

pub fn cpu(options: Options) -> Cpu {
    let (plan, weights) = pair();
    Cpu::new(plan, weights, options).expect("weights that fit")
}

const ELEMENTS: usize = 300;

fn forward(cpu: &mut Cpu, backbone: usize, x: &[f32], times: &[f32], labels: &[u32]) -> Vec<f32> {
    let mut out = vec![0.0; x.len()];
    cpu.forward(backbone, x, times, Some(labels), &mut out).expect("sizes that fit");
    out
}

#[test]
fn forwards_agree_with_the_interpreter() {
    let (x, times, labels) = (floats(9, 3 * ELEMENTS), [999.0, 0.0, 417.0], [0, 3, 1]);
    let (plan, weights) = pair();
    for (backbone, weights) in weights.iter().enumerate() {
        let fed: Vec<f32> = times.iter().map(|&t| plan.spec.time_of(backbone).at(t)).collect();
        let inputs = Inputs { images: &x, times: &fed, labels: Some(&labels) };
        let wanted = interpret::net(&plan.backbones[backbone].net, &inputs, weights).expect("a program that runs");
        let found = forward(&mut cpu(Options { batch: 3, ..Options::default() }), backbone, &x, &times, &labels);
        for (found, wanted) in found.iter().zip(wanted) {
            assert!((f64::from(*found) - wanted).abs() <= 5e-6, "{found}, wanted {wanted}");
        }
    }
}

#[test]
fn nothing_but_the_input_changes_a_bit() {
    let (x, labels) = (floats(9, 5 * ELEMENTS), [0, 3, 1, 2, 2]);
    let times = [999.0, 0.0, 417.0, 3.0, 700.0];
    let mut reference = cpu(Options { batch: 5, threads: 1, isa: Some(Isa::Portable) });
    let wanted = forward(&mut reference, 0, &x, &times, &labels);
    for isa in Isa::available() {
        for (batch, threads) in [(1, 1), (2, 2), (3, 3), (5, 2), (8, 1)] {
            let mut cpu = cpu(Options { batch, threads, isa: Some(isa) });
            let parts = x.chunks(batch * ELEMENTS).zip(times.chunks(batch).zip(labels.chunks(batch)));
            let found: Vec<f32> = parts.flat_map(|(x, (times, labels))| forward(&mut cpu, 0, x, times, labels)).collect();
            assert!(bits(&wanted) == bits(&found), "{isa:?}, batch {batch}, {threads} threads");
        }
    }
}

#[test]
fn slices_of_a_batch_read_their_own_times_and_labels() {
    let count = 45;
    let x = floats(9, count * ELEMENTS);
    let times: Vec<f32> = (0..count).map(|image| (22 * image) as f32).collect();
    let labels: Vec<u32> = (0..count as u32).map(|image| image % 4).collect();
    assert!(batch::slice(&pair().0, count) < count, "a batch of more than one slice");
    for backbone in 0..2 {
        let found = forward(&mut cpu(Options { batch: count, ..Options::default() }), backbone, &x, &times, &labels);
        let mut single = cpu(Options::default());
        for (image, (x, found)) in x.chunks(ELEMENTS).zip(found.chunks(ELEMENTS)).enumerate() {
            let wanted = forward(&mut single, backbone, x, &times[image..=image], &labels[image..=image]);
            assert!(bits(&wanted) == bits(found), "image {image} of backbone {backbone}");
        }
    }
}

#[test]
fn wrong_arguments_are_refused() {
    let mut cpu = cpu(Options { batch: 2, ..Options::default() });
    let (x, mut out) = (vec![0.0; 2 * ELEMENTS], vec![0.0; 2 * ELEMENTS]);
    let mut refused = |x: &[f32], times: &[f32], labels: Option<&[u32]>| {
        let out = &mut out[..x.len()];
        cpu.forward(1, x, times, labels, out).expect_err("wrong arguments").to_string()
    };
    assert_eq!(refused(&x, &[1.0], Some(&[0])), "x has 600 elements, 300 are needed");
    assert_eq!(refused(&x, &[1.0; 3], Some(&[0; 3])), "times has 3 elements, 2 are needed");
    assert_eq!(refused(&x, &[1.0; 2], Some(&[0])), "labels has 1 elements, 2 are needed");
    assert_eq!(refused(&x, &[1.0; 2], Some(&[0, 4])), "label 4 is out of range, labels are below 4");
    assert_eq!(refused(&x, &[1.0; 2], None), "the pair has 4 classes -- give a label per image");
    let missing = cpu.forward(2, &x, &[1.0; 2], Some(&[0; 2]), &mut vec![0.0; 2 * ELEMENTS]);
    assert_eq!(missing, Err(ExecutorError::Backbone { found: 2, count: 2 }));
}

#[test]
fn wrong_weights_are_refused() {
    let refused = |change: &dyn Fn(&mut Vec<Weights>)| {
        let (plan, mut weights) = pair();
        change(&mut weights);
        Cpu::new(plan, weights, Options::default()).err().expect("wrong weights").to_string()
    };
    assert_eq!(refused(&|weights| drop(weights.pop())), "found weights for 1 backbones, the plan has 2");
    let key = "mid_block.attn.proj.bias";
    let missing = refused(&|weights| drop(weights[1].tensors.remove(key)));
    assert_eq!(missing, "deep: mid_block.attn.proj.bias is missing from the weights, wanted [40]");
    let shape = refused(&|weights| weights[0].tensors.get_mut(key).expect("a tensor").shape = vec![4, 10]);
    assert_eq!(shape, "shallow: mid_block.attn.proj.bias is [4, 10], wanted [40]");
    let (plan, weights) = pair();
    let zero = Cpu::new(plan, weights, Options { batch: 0, ..Options::default() }).err();
    assert_eq!(zero, Some(CpuError::Zero("batch")));
}

#[test]
fn memory_counts_each_weight_once() {
    let (plan, weights) = pair();
    let elements: usize = weights.iter().flat_map(|weights| weights.tensors.values()).map(|tensor| tensor.data.len()).sum();
    let memory = Memory::predict(&plan, 2, 1, &[3, 7]);
    // Panels and lines are filled up: at these odd sizes that is some 30 %.
    let bytes = 4 * elements as u64;
    assert!((bytes..bytes * 14 / 10).contains(&memory.weights), "{} of {bytes}", memory.weights);
    assert!(memory.arena >= 2 * 4 * plan.arena as u64);
    assert!(Memory::predict(&plan, 4, 1, &[3, 7]).peak() > memory.peak());
}

#[test]
fn no_images_are_no_work() {
    let mut cpu = cpu(Options { batch: 2, threads: 2, isa: None });
    for backbone in 0..2 {
        cpu.forward(backbone, &[], &[], Some(&[]), &mut []).expect("nothing to do");
        cpu.trace(backbone, &[], &[], Some(&[]), &mut |part, index, _| panic!("operator {index} of {part:?} ran")).expect("nothing to do");
    }
}
