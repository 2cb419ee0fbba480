//! What a second core brings: nothing is lost at small steps, and large ones take little more than half the time.

use criterion::Criterion;
use duodiff::{Cifar10, Mnist, Pair};

use crate::measure::{measure, slow};
use crate::peak;
use crate::ready::{executor, only, plan, step};

/// A small and a large net, each on one thread and on all.
pub fn threads(criterion: &mut Criterion) {
    let pairs: [&dyn Pair; 2] = [&Mnist, &Cifar10];
    for plan in pairs.map(plan) {
        let pair = &plan.spec.name;
        for (index, backbone) in plan.spec.backbones.iter().enumerate() {
            for batch in [1, 4] {
                let name = format!("threads/{pair}/{}/batch {batch}", backbone.name);
                let mut group = slow(criterion, &name);
                let seconds = [1, peak::threads()].map(|threads| {
                    let mut cpu = None;
                    measure(&mut group, &threads.to_string(), || {
                        let cpu = cpu.get_or_insert_with(|| executor(only(&plan, index), batch, threads));
                        step(cpu, batch);
                    })
                });
                group.finish();
                if let [Some(one), Some(all)] = seconds {
                    println!("{name}: {:.2} times as fast on {} threads as on one", one / all, peak::threads());
                }
            }
        }
    }
}
