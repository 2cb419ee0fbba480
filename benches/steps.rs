//! One evaluation of each backbone at several batches.

use criterion::{Criterion, Throughput};
use duodiff::PAIRS;

use crate::measure::{is_filtered, measure, slow};
use crate::peak::{Work, threads};
use crate::ready::{executor, only, plan, step};

const BATCHES: [usize; 4] = [1, 2, 4, 16];

/// Without a filter, a step of more floating-point operations is left out.
const MOST: u64 = 120_000_000_000;

/// Every ready pair.
pub fn steps(criterion: &mut Criterion) {
    for &pair in PAIRS {
        let plan = plan(pair);
        let mut group = slow(criterion, &format!("step/{}", plan.spec.name));
        let mut lines = Vec::new();
        for (index, backbone) in plan.backbones.iter().enumerate() {
            let name = &plan.spec.backbones[index].name;
            let batches = BATCHES.into_iter().filter(|batch| is_filtered() || *batch as u64 * backbone.cost.flops <= MOST);
            // Made for the first that no filter leaves out.
            let mut cpu = None;
            for batch in batches {
                let flops = batch as u64 * backbone.cost.flops;
                group.throughput(Throughput::Elements(flops));
                let id = format!("{name}/batch {batch}");
                let seconds = measure(&mut group, &id, || {
                    let cpu = cpu.get_or_insert_with(|| executor(only(&plan, index), BATCHES[3], threads()));
                    step(cpu, batch);
                });
                let line = |seconds| {
                    let each = 1e3 * seconds / batch as f64;
                    format!("step/{}/{id}: {each:.2} ms per image, {}", plan.spec.name, Work::Flops(flops).rate(seconds))
                };
                lines.extend(seconds.map(line));
            }
        }
        group.finish();
        lines.iter().for_each(|line| println!("{line}"));
    }
}
