//! The CPU executor against the interpreter: rounding is within the bound, a mistake is found where it was made.

use super::*;
use crate::cpu::{Cpu, Options};
use crate::launch::Precision;
use crate::passes::optimize;
use crate::plan::{Plan, plan};
use crate::target::Target;
use crate::tests::pairs::spec;
use crate::tests::uvit::Uvit;
use crate::weights::Wanted;

const UVIT: Uvit = Uvit { classes: Some(5), mlp_time: true, qkv_bias: true, ..Uvit::new([3, 8, 8], 2, 48, 3, 5) };

/// A pair of conditional nets with a prelude, and weights for both.
fn pair() -> (Plan, Vec<Weights>) {
    let nets = [3, 5].map(|depth| {
        let mut net = Uvit { depth, ..UVIT }.net("net");
        let cost = net.cost();
        optimize(&mut net, None).unwrap();
        (net, cost)
    });
    let plan = plan(spec(UVIT.image, UVIT.classes), nets.into()).unwrap();
    let weights = Wanted::all(&plan).iter().map(|wanted| Weights::random(3, wanted)).collect();
    (plan, weights)
}

fn cpu(plan: &Plan, weights: &[Weights], batch: usize) -> Cpu {
    Cpu::new(plan.clone(), weights.to_vec(), Options { batch, threads: 2, isa: None }).unwrap()
}

/// Three images at three times.
fn compare(executor: &mut dyn Traced, backbone: usize, reference: Reference<'_>) -> Report {
    let x: Vec<f32> = (0..3 * 192).map(|i| (i as f32 * 0.37).sin()).collect();
    let case = Case { x: &x, times: &[999.0, 12.5, 0.0], labels: Some(&[4, 0, 2]) };
    let mut shares = Vec::new();
    let report = verify(executor, backbone, case, reference, &mut |share| shares.push(share)).unwrap();
    assert!(shares.is_sorted() && shares.last().is_none_or(|last| *last == 1.0), "{shares:?}");
    report
}

fn cpu_bound() -> f64 {
    bound(Target::Cpu, Precision::F32)
}

#[test]
fn rounding_is_within_the_bound() {
    let (plan, weights) = pair();
    let mut executor = cpu(&plan, &weights, 3);
    for backbone in [0, 1] {
        let report = compare(&mut executor, backbone, Reference::Interpreter(&weights[backbone]));
        let net = &plan.backbones[backbone].net;
        assert_eq!(report.rows.len(), net.prelude.ops.len() + net.body.ops.len());
        assert!(report.is_good(cpu_bound()) && report.first_bad(cpu_bound()).is_none(), "{report:?}");
        assert!(report.output.error > 0.0 && report.output.largest > 0.1, "{:?}", report.output);
        // A copy is exact; most of the others round.
        let own: Vec<_> = report.rows.iter().map(|row| row.own_error().unwrap()).collect();
        assert!(own.iter().filter(|error| **error > 0.0).count() > own.len() / 2, "{own:?}");
        assert!(report.rows.iter().filter(|row| row.op == "patchify").all(|row| row.total.error == 0.0));
        assert_eq!(report.rows.iter().filter(|row| row.part == Part::Prelude).count(), net.prelude.ops.len());
    }
}

#[test]
fn layers_are_called_as_in_the_checkpoint() {
    let (plan, weights) = pair();
    let report = compare(&mut cpu(&plan, &weights, 3), 0, Reference::Interpreter(&weights[0]));
    let named: Vec<_> = report.rows.iter().map(|row| format!("{} {}", row.op, row.layer)).collect();
    for wanted in [
        "linear time_embed.0",
        "patchify the image",
        "embedding label_emb",
        "linear mid_block.attn.qkv",
        "attention after mid_block.attn.qkv",
        "linear out_blocks.0.skip_linear",
        "unpatchify after decoder_pred",
        "conv3x3 final_layer",
    ] {
        assert!(named.contains(&wanted.to_owned()), "{wanted} in {named:?}");
    }
}

/// Each tensor that is wrong in turn: its operator is the first that is to blame, and the only one.
#[test]
fn a_wrong_weight_is_found_where_it_is_read() {
    let (plan, weights) = pair();
    for key in weights[0].tensors.keys() {
        let mut wrong = weights.clone();
        let data = &mut wrong[0].tensors.get_mut(key).unwrap().data;
        data.iter_mut().for_each(|x| *x += 0.05);
        let report = compare(&mut cpu(&plan, &wrong, 3), 0, Reference::Interpreter(&weights[0]));
        let bad = report.first_bad(cpu_bound()).unwrap_or_else(|| panic!("{key} is not found"));
        assert!(reads(&plan, bad, key), "{key} is found at {bad:?}");
        assert_eq!(report.rows.iter().filter(|row| row.is_wrong(cpu_bound())).count(), 1, "{key}");
        assert!(!report.is_good(cpu_bound()));
    }
}

/// Whether the operator of a row of backbone 0 reads a parameter.
fn reads(plan: &Plan, row: &Row, key: &str) -> bool {
    let program = plan.backbones[0].net.part(row.part);
    let is_key = |id| matches!(&program.value(id).origin, crate::program::Origin::Param { key: found, .. } if found == key);
    program.ops[row.index].inputs().iter().any(|input| is_key(input.value()))
}

/// A number that is none must not pass as small.
#[test]
fn what_is_no_number_is_wrong() {
    let (plan, weights) = pair();
    let mut wrong = weights.clone();
    wrong[0].tensors.get_mut("mid_block.attn.qkv.weight").unwrap().data[7] = f32::NAN;
    let report = compare(&mut cpu(&plan, &wrong, 3), 0, Reference::Interpreter(&weights[0]));
    let bad = report.first_bad(cpu_bound()).unwrap();
    assert_eq!((bad.layer.as_str(), bad.own_error()), ("mid_block.attn.qkv", Some(f64::INFINITY)));
    assert_eq!(report.output.relative(), f64::INFINITY);
}

#[test]
fn an_executor_may_be_the_reference() {
    let (plan, weights) = pair();
    let mut other = cpu(&plan, &weights, 2);
    let mut executor = cpu(&plan, &weights, 3);
    let report = compare(&mut executor, 1, Reference::Executor(&mut other, 1));
    assert!(report.is_good(cpu_bound()));
    assert!(report.rows.iter().all(|row| row.own.is_none() && row.total.error == 0.0 && row.total.largest > 0.0));
    assert_eq!(report.output.error, 0.0);
    let mut wrong = weights.clone();
    wrong[1].tensors.get_mut("in_blocks.1.mlp.fc1.bias").unwrap().data[3] += 1.0;
    let report = compare(&mut cpu(&plan, &wrong, 3), 1, Reference::Executor(&mut other, 1));
    assert_eq!(report.first_bad(cpu_bound()).unwrap().layer, "in_blocks.1.mlp.fc1");
    let case = Case { x: &[0.0; 192], times: &[1.0], labels: Some(&[0]) };
    let refused = verify(&mut executor, 0, case, Reference::Executor(&mut other, 1), &mut |_| ());
    assert!(matches!(refused, Err(CompareError::Programs { part: "body" })), "{refused:?}");
}
