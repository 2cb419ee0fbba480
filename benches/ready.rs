//! Pairs with random weights, ready to run.

use duodiff::Pair;
use duodiff::graph::compile::{self, compile};
use duodiff::graph::cpu::{Cpu, Options};
use duodiff::graph::executor::Executor;
use duodiff::graph::plan::Plan;
use duodiff::graph::weights::{Wanted, Weights};
use duodiff::spec::Phase;

/// A compiled pair.
pub fn plan(pair: &dyn Pair) -> Plan {
    compile(pair, &compile::Options::default()).expect("a pair that compiles").plan
}

/// An executor of a plan with random weights.
pub fn executor(plan: Plan, batch: usize, threads: usize) -> Cpu {
    let weights = Wanted::all(&plan).iter().map(|wanted| Weights::random(0, wanted)).collect();
    Cpu::new(plan, weights, Options { batch, threads, isa: None }).expect("weights that fit")
}

/// One backbone of a plan by itself.
pub fn only(plan: &Plan, backbone: usize) -> Plan {
    let mut spec = plan.spec.clone();
    let phase = Phase { backbone: 0, first: spec.process.steps - 1, last: 0 };
    (spec.backbones, spec.phases) = (vec![spec.backbones.swap_remove(backbone)], vec![phase]);
    Plan { spec, backbones: vec![plan.backbones[backbone].clone()], arena: plan.arena }
}

/// One evaluation of backbone 0 for `batch` images.
pub fn step(cpu: &mut Cpu, batch: usize) {
    let spec = &cpu.plan().spec;
    let elements = batch * spec.image.elements();
    let (x, mut out) = (vec![0.5; elements], vec![0.0; elements]);
    let times: Vec<f32> = (0..batch).map(|image| 500.0 - image as f32).collect();
    let labels = spec.classes.map(|_| vec![0; batch]);
    cpu.forward(0, &x, &times, labels.as_deref(), &mut out).expect("sizes that fit");
}
