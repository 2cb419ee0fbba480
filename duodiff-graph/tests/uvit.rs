//! Whole U-ViTs: recognised to the last node, and right by luminal's own interpreter against PyTorch.
#![cfg(feature = "compile")]

#[path = "uvit/arch.rs"]
mod arch;
#[path = "uvit/golden.rs"]
mod golden;

use std::collections::BTreeMap;

use arch::{cifar10, cond, mlp_time, uncond};
use duodiff_graph::build::Built;
use duodiff_graph::interpret::{self, Inputs};
use duodiff_graph::raise::{Raised, Recognisers, raise, raise_with};
use duodiff_graph::weights::{self, Weights};
use golden::{tensors, value};

/// The recognised operators of a backbone in which no primitive is left.
fn whole(built: &Built) -> Raised {
    let raised = raise(built).unwrap();
    assert!(raised.report.left.is_empty(), "{}", raised.report);
    assert!(raised.program.ops.iter().all(|op| op.name() != "primitive"));
    raised.program.verify().unwrap();
    raised
}

fn counts(raised: &Raised) -> BTreeMap<&'static str, usize> {
    raised.report.recognised.iter().copied().collect()
}

#[test]
fn every_operator_of_the_unconditional_net_is_recognised() {
    let raised = whole(&uncond::build(5));
    let wanted = [
        ("add", 11),
        ("attention", 5),
        ("columns", 15),
        ("conv3x3", 1),
        ("gelu", 5),
        ("join_features", 2),
        ("join_tokens", 1),
        ("linear", 24),
        ("norm", 11),
        ("patchify", 1),
        ("rows", 1),
        ("unpatchify", 1),
    ];
    assert_eq!(counts(&raised), BTreeMap::from(wanted));
    assert_eq!(raised.report.nodes, 566);
}

#[test]
fn parameters_are_those_of_the_checkpoints() {
    let cases: [(&str, Built); 6] = [
        ("uncond.shallow", uncond::build(3)),
        ("uncond.deep", uncond::build(5)),
        ("cond.shallow", cond::build(3)),
        ("cond.deep", cond::build(7)),
        ("mlp_time.shallow", mlp_time::build(1)),
        ("mlp_time.deep", mlp_time::build(5)),
    ];
    for (name, built) in cases {
        let program = whole(&built).program;
        let found: BTreeMap<String, Vec<usize>> = program.params().map(|(_, key, shape)| (key.to_owned(), shape.to_vec())).collect();
        let wanted = tensors(&format!("{name}.safetensors")).into_iter().map(|(key, (shape, _))| (key, shape)).collect();
        assert_eq!(found, wanted, "{name}");
    }
}

#[test]
fn the_largest_net_is_recognised_whole_on_a_test_threads_stack() {
    let raised = whole(&cifar10::build(21));
    assert_eq!(raised.report.count("attention"), 21);
    let params: usize = whole(&cifar10::build(13)).program.params().map(|(_, _, shape)| shape.iter().product::<usize>()).sum();
    assert_eq!(params, 44_255_328);
}

#[test]
fn raising_is_reproducible() {
    let (once, twice) = (whole(&cond::build(7)), whole(&cond::build(7)));
    assert_eq!(once.program, twice.program);
    assert_eq!(once.report.to_string(), twice.report.to_string());
}

/// On the first `batch` golden inputs: luminal's interpreter, ours, and PyTorch's outputs.
fn check(pair: &str, net: &str, width: usize, time_scale: f32, batch: usize, mut built: Built) {
    let (cases, weights) = (tensors(&format!("{pair}.cases.safetensors")), tensors(&format!("{pair}.{net}.safetensors")));
    let first = |name: &str| {
        let (shape, data) = &cases[name];
        data[..batch * data.len() / shape[0]].to_vec()
    };
    let found = built.evaluate(batch, |load| value(&load.role, first, &weights, width, time_scale));
    let found: Vec<f64> = found.into_iter().map(f64::from).collect();
    let wanted: Vec<f64> = first(&format!("eps.{net}")).into_iter().map(f64::from).collect();
    near(&found, &wanted, 2e-5);

    let labels: Option<Vec<u32>> = cases.contains_key("y").then(|| first("y").iter().map(|&label| label as u32).collect());
    let times: Vec<f32> = first("t").iter().map(|t| t * time_scale).collect();
    let inputs = Inputs { images: &first("x"), times: &times, labels: labels.as_deref() };
    let tensor = |(key, (shape, data)): (String, _)| (key, weights::Tensor { shape, data });
    let weights = Weights { tensors: weights.into_iter().map(tensor).collect(), ..Weights::default() };
    let mut programs = vec![whole(&built).program];
    if pair != "cond" {
        programs.push(raise_with(&built, &Recognisers::none()).unwrap().program);
    }
    for program in programs {
        let exact = interpret::program(&program, &inputs, &[], &weights).unwrap().swap_remove(0);
        near(&exact, &found, 1e-5);
        near(&exact, &wanted, 2e-5);
    }
}

fn near(found: &[f64], wanted: &[f64], bound: f64) {
    assert_eq!(found.len(), wanted.len());
    let worst = found.iter().zip(wanted).map(|(f, w)| (f - w).abs()).fold(0.0, f64::max);
    assert!(worst <= bound, "off by {worst:e}, allowed {bound:e}");
}

#[test]
fn uncond_agrees_with_pytorch() {
    check("uncond", "shallow", uncond::DIM, 1e-3, 2, uncond::build(3));
    check("uncond", "deep", uncond::DIM, 1e-3, 1, uncond::build(5));
}

#[test]
fn cond_agrees_with_pytorch() {
    check("cond", "shallow", cond::DIM, 1.0, 1, cond::build(3));
}

#[test]
fn mlp_time_agrees_with_pytorch() {
    check("mlp_time", "shallow", mlp_time::DIM, 1e-3, 2, mlp_time::build(1));
    check("mlp_time", "deep", mlp_time::DIM, 1e-3, 1, mlp_time::build(5));
}
