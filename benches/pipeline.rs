//! From a declared pair to its plan: built, raised, optimized, planned and checked.

use std::hint::black_box;

use criterion::Criterion;
use duodiff::PAIRS;
use duodiff::graph::compile::{Options, compile};

use crate::measure::{measure, slow};

/// Every ready pair; the design holds the largest one to a second.
pub fn plans(criterion: &mut Criterion) {
    let mut group = slow(criterion, "plan");
    for &pair in PAIRS {
        let name = pair.spec().name;
        measure(&mut group, &name, || drop(black_box(compile(pair, &Options::default()).expect("a pair that compiles"))));
    }
    group.finish();
}
