//! Whole trajectories: what a phase of the shallow backbone saves, beside what its operations promise.

use std::ops::ControlFlow;
use std::time::Duration;

use criterion::Criterion;
use duodiff::graph::cpu::Cpu;
use duodiff::graph::executor::{Executor, Request};
use duodiff::graph::noise::Philox;
use duodiff::graph::plan::Plan;
use duodiff::graph::process::{Settings, Steps};
use duodiff::spec::Phase;
use duodiff::{Cifar10, Mnist, Pair};

use crate::measure::{is_filtered, measure, slow};
use crate::peak::threads;
use crate::ready::{executor, plan};

/// Training timesteps of the shallow phase.
const SHALLOW: [u32; 4] = [0, 300, 400, 500];

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
    // Their ratios are what counts: one disturbed sample must not show in them.
    group.measurement_time(Duration::from_secs(2));
    let mut cpu = None;
    let (mut full, mut lines) = (None, Vec::new());
    for shallow in SHALLOW {
        let steps = split(&plan, shallow, steps);
        let seconds =
            measure(&mut group, &shallow.to_string(), || sample(cpu.get_or_insert_with(|| executor(plan.clone(), 1, threads())), &steps));
        full = full.or(seconds);
        if let (Some(full), Some(seconds)) = (full, seconds) {
            let share = flops(&plan, &steps) as f64 / flops(&plan, &split(&plan, 0, steps.rows.len() as u32)) as f64;
            let ratio = seconds / full;
            lines.push(format!(
                "{name}/{shallow}: {ratio:.3} of the time, {share:.3} of the operations, {:+.1} %",
                100.0 * (ratio / share - 1.0)
            ));
        }
    }
    group.finish();
    lines.iter().for_each(|line| println!("{line}"));
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
