//! What a second core brings: nothing is lost at small steps, and large ones take little more than half the time.

use std::cell::LazyCell;

use criterion::Criterion;
use duodiff::{Cifar10, Mnist, Pair};

use crate::measure::{compare, is_smoke, measure, slow};
use crate::peak;
use crate::ready::{executor, only, plan, step};

/// A small and a large net, each on one thread and on all.
pub fn threads(criterion: &mut Criterion) {
    let pairs: [&dyn Pair; 2] = [&Mnist, &Cifar10];
    for plan in pairs.map(plan) {
        let (plan, pair) = (&plan, &plan.spec.name);
        for (index, backbone) in plan.spec.backbones.iter().enumerate() {
            for batch in [1, 4] {
                let name = format!("threads/{pair}/{}/batch {batch}", backbone.name);
                let mut group = slow(criterion, &name);
                let counts = [1, peak::threads()];
                let [mut one, mut all] = counts.map(|threads| LazyCell::new(move || executor(only(plan, index), batch, threads)));
                let measured = [
                    measure(&mut group, &counts[0].to_string(), || step(&mut one, batch)),
                    measure(&mut group, &counts[1].to_string(), || step(&mut all, batch)),
                ];
                group.finish();
                if let [Some(of_one), Some(of_all)] = measured
                    && !is_smoke()
                {
                    let ratio = compare(|| step(&mut one, batch), || step(&mut all, batch), [of_one, of_all]);
                    println!("{name}: {ratio} times as fast on {} threads as on one", counts[1]);
                }
            }
        }
    }
}
