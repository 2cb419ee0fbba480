//! `cargo bench`: what each stage, kernel, step and trajectory takes.
//!
//! Names are paths (`step/Cifar10/deep/batch 4`), and a filter is a regular expression over them: `cargo bench step/Cifar10`. What
//! takes minutes is left out of the default set; any filter brings it back.

mod cold;
mod invariance;
mod kernels;
mod measure;
mod operator;
mod peak;
mod pipeline;
mod ready;
mod steps;
mod threads;
mod trajectory;

use criterion::{criterion_group, criterion_main};

criterion_group!(
    benches,
    pipeline::plans,
    kernels::kernels,
    invariance::invariance,
    steps::steps,
    threads::threads,
    trajectory::trajectories,
    cold::cold
);
criterion_main!(benches);
