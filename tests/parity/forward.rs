//! One evaluation of each backbone of each recorded pair.

use duodiff::Pair;
use duodiff::graph::executor::Executor;

use crate::common::pairs::{Cond, MlpTime, Uncond};
use crate::common::{Cases, cpu, distance, plan, read_weights};

/// Bound on the largest difference of a forward; float noise is 3e-7 to 3e-6.
pub const FORWARD: f32 = 2e-5;

#[track_caller]
fn check(pair: &dyn Pair, prefix: &str) {
    let cases = Cases::read(prefix);
    let plan = plan(pair);
    let weights = read_weights(&plan, "tests/data", prefix);
    let names: Vec<_> = plan.spec.backbones.iter().map(|backbone| backbone.name.clone()).collect();
    let mut cpu = cpu(plan, weights, 2);
    let labels = cases.labels();
    for (index, name) in names.iter().enumerate() {
        let wanted = cases.get(&format!("eps.{name}"));
        let mut found = vec![0.0; wanted.len()];
        cpu.forward(index, cases.get("x"), cases.get("t"), labels.as_deref(), &mut found).expect("a forward");
        let off = distance(&found, wanted);
        println!("{prefix} {name}: {off:.1e}");
        assert!(off <= FORWARD, "{prefix} {name}: {off}");
    }
}

#[test]
fn unconditional() {
    check(&Uncond, "uncond");
}

#[test]
fn conditional() {
    check(&Cond, "cond");
}

#[test]
fn mlp_time_with_qkv_bias_and_no_conv() {
    check(&MlpTime, "mlp_time");
}

#[test]
fn guidance() {
    let cases = Cases::read("cond");
    let plan = plan(&Cond);
    let null = plan.spec.classes.and_then(|classes| classes.null).expect("a null label");
    let weights = read_weights(&plan, "tests/data", "cond");
    let mut cpu = cpu(plan, weights, 2);
    let labels = cases.labels().expect("labels");
    for (index, name) in ["shallow", "deep"].into_iter().enumerate() {
        let wanted = cases.get(&format!("eps_cfg0.4.{name}"));
        let mut evaluate = |labels: &[u32]| {
            let mut out = vec![0.0; wanted.len()];
            cpu.forward(index, cases.get("x"), cases.get("t"), Some(labels), &mut out).expect("a forward");
            out
        };
        let (with, without) = (evaluate(&labels), evaluate(&[null, null]));
        let guided: Vec<_> = with.iter().zip(&without).map(|(c, u)| c + 0.4 * (c - u)).collect();
        assert!(distance(&guided, wanted) <= FORWARD, "{name}: {}", distance(&guided, wanted));
    }
}
