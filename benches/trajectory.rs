//! Whole trajectories: what a phase of the shallow backbone saves, beside what its operations promise.

use std::cell::LazyCell;
use std::ops::ControlFlow;
use std::time::Instant;

use criterion::Criterion;
use duodiff::graph::cpu::Cpu;
use duodiff::graph::executor::{Executor, Request};
use duodiff::graph::noise::Philox;
use duodiff::graph::plan::Plan;
use duodiff::graph::process::{Settings, Steps};
use duodiff::spec::Phase;
use duodiff::{Cifar10, Mnist, Pair};

use crate::measure::{is_filtered, is_smoke, measure, slow};
use crate::peak::threads;
use crate::ready::{executor, plan};

/// Training timesteps of the shallow phase.
const SHALLOW: [u32; 4] = [0, 300, 400, 500];

/// Rounds of the comparison.
const ROUNDS: usize = 6;

/// Mnist in DDIM's 50 steps; Cifar10 in 10, whose shares are the same, and in 50 if a filter asks.
pub fn trajectories(criterion: &mut Criterion) {
    trajectory(criterion, &Mnist, 50, "trajectory/Mnist");
    trajectory(criterion, &Cifar10, 10, "trajectory/Cifar10, 10 steps");
    if is_filtered() {
        trajectory(criterion, &Cifar10, 50, "trajectory/Cifar10, 50 steps");
    }
}

fn trajectory(criterion: &mut Criterion, pair: &dyn Pair, steps: u32, name: &str) {
    let plan = plan(pair);
    let mut group = slow(criterion, name);
    let mut cpu = LazyCell::new(|| executor(plan.clone(), 1, threads()));
    let splits = SHALLOW.map(|shallow| split(&plan, shallow, steps));
    let mut measured = [false; SHALLOW.len()];
    for ((shallow, steps), measured) in SHALLOW.iter().zip(&splits).zip(&mut measured) {
        *measured = measure(&mut group, &shallow.to_string(), || sample(&mut cpu, steps)).is_some();
    }
    group.finish();
    if measured.iter().all(|measured| *measured) && !is_smoke() {
        compare(name, &plan, &mut cpu, &splits);
    }
}

/// The fastest of some rounds in turn: a machine that slows down or speeds up does so for all.
fn compare(name: &str, plan: &Plan, cpu: &mut Cpu, splits: &[Steps]) {
    let mut fastest = vec![f64::INFINITY; splits.len()];
    for _ in 0..ROUNDS {
        for (fastest, steps) in fastest.iter_mut().zip(splits) {
            let start = Instant::now();
            sample(cpu, steps);
            *fastest = fastest.min(start.elapsed().as_secs_f64());
        }
    }
    for ((shallow, steps), seconds) in SHALLOW.iter().zip(splits).zip(&fastest) {
        let (time, share) = (seconds / fastest[0], flops(plan, steps) as f64 / flops(plan, &splits[0]) as f64);
        println!("{name}/{shallow}: {time:.3} of the time, {share:.3} of the operations, {:+.1} %", 100.0 * (time / share - 1.0));
    }
}

/// DDIM with the shallow backbone for the first `shallow` training timesteps.
fn split(plan: &Plan, shallow: u32, steps: u32) -> Steps {
    let last = plan.spec.process.steps - 1;
    let deep = Phase { backbone: 1, first: last - shallow, last: 0 };
    let phases = match shallow {
        0 => vec![deep],
        _ => vec![Phase { backbone: 0, first: last, last: last + 1 - shallow }, deep],
    };
    let settings = Settings { steps: Some(steps), phases: Some(phases), ..Settings::default() };
    Steps::new(&plan.spec, &settings).expect("phases that cover every timestep")
}

fn flops(plan: &Plan, steps: &Steps) -> u64 {
    steps.rows.iter().map(|row| plan.backbones[row.backbone].cost.flops).sum()
}

fn sample(cpu: &mut Cpu, steps: &Steps) {
    let images = [Request { index: 0, label: None }];
    cpu.trajectory(steps, &images, &Philox { seed: 0 }, &mut |_| ControlFlow::Continue(())).expect("a trajectory");
}
