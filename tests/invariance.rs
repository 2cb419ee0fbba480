//! Image i is a function of (weights, plan, seed, i, class): batch, position, start and threads change no bit.

mod common;

use std::ops::ControlFlow;

use common::pairs::{Cond, Uncond};
use common::{plan, read_weights};
use duodiff::Pair;
use duodiff::graph::cpu::{Cpu, Options};
use duodiff::graph::executor::{Executor, Request};
use duodiff::graph::noise::Philox;
use duodiff::graph::plan::Plan;
use duodiff::graph::process::{Settings, Solver, Steps};
use duodiff::graph::weights::Weights;

const IMAGES: u64 = 24;

/// All images as bits, sampled in batches from index `first` on, and around to the images before it.
fn sample(plan: &Plan, weights: &[Weights], batch: usize, threads: usize, first: u64, label: impl Fn(u64) -> Option<u32>) -> Vec<Vec<u32>> {
    let guidance = plan.spec.classes.map(|_| 0.4);
    let settings = Settings { solver: Solver::Ddim { eta: 0.5 }, steps: Some(3), guidance, ..Settings::default() };
    let steps = Steps::new(&plan.spec, &settings).expect("steps");
    let elements = plan.spec.image.elements();
    let mut cpu = Cpu::new(plan.clone(), weights.to_vec(), Options { batch, threads, isa: None }).expect("an executor");
    let requests: Vec<_> = (first..IMAGES).chain(0..first).map(|index| Request { index, label: label(index) }).collect();
    let mut images = vec![Vec::new(); IMAGES as usize];
    for chunk in requests.chunks(batch) {
        let found = cpu.trajectory(&steps, chunk, &Philox { seed: 42 }, &mut |_| ControlFlow::Continue(())).expect("a trajectory");
        for (request, image) in chunk.iter().zip(found.chunks(elements)) {
            images[request.index as usize] = image.iter().map(|x| x.to_bits()).collect();
        }
    }
    images
}

fn check(pair: &dyn Pair, prefix: &str, label: impl Fn(u64) -> Option<u32> + Copy) {
    let plan = plan(pair);
    let weights = read_weights(&plan, "tests/data", prefix);
    let wanted = sample(&plan, &weights, 1, 1, 0, label);
    assert_ne!(wanted[0], wanted[1], "two images are the same");
    for batch in [1, 2, 3, 5, 8, 24] {
        for threads in [1, 2] {
            for first in [0, 11] {
                let found = sample(&plan, &weights, batch, threads, first, label);
                assert!(found == wanted, "{prefix}: batch {batch}, {threads} threads, from {first}");
            }
        }
    }
}

#[test]
fn unconditional_images() {
    check(&Uncond, "uncond", |_| None);
}

#[test]
fn conditional_images_with_guidance() {
    check(&Cond, "cond", |index| Some(index as u32 % 10));
}
