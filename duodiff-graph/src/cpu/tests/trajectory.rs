//! Trajectories against a float64 loop over the rows, with every kind of term, and equal bits however they are cut.

use std::ops::ControlFlow;

use super::case::bits;
use super::executor::{cpu, pair};
use super::uvit::floats;
use crate::cpu::{Isa, Options};
use crate::executor::{Executor, ExecutorError, Request};
use crate::interpret::{self, Inputs};
use crate::noise::Noise;
use crate::process::{Row, Steps};

const ELEMENTS: usize = 300;

/// Noise that depends on (image, draw, element) alone.
struct Hashed;

impl Noise for Hashed {
    fn fill(&self, index: u64, draw: u32, out: &mut [f32]) {
        out.copy_from_slice(&floats(index * 7919 + u64::from(draw), out.len()));
    }
}

fn row(backbone: usize, t: f32) -> Row {
    let history = [0.4, 0.0, 0.0];
    Row { backbone, t, time: t / 1000.0, scale: 1.0, a: 0.1, b: -0.8, clip: None, c0: 0.7, cs: 0.0, history, cz: 0.0, save: false }
}

/// Both backbones in turn, and every term of a row at least once.
fn steps(guidance: f32) -> Steps {
    let rows = vec![
        Row { cz: 0.5, save: true, ..row(0, 999.0) },
        Row { clip: Some(0.25), history: [0.3, 0.2, 0.0], ..row(0, 800.0) },
        Row { cs: -0.3, history: [0.3, 0.2, -0.4], cz: 0.1, ..row(1, 600.0) },
        Row { scale: 0.9, save: true, history: [0.0, 0.2, 0.4], ..row(0, 300.5) },
        Row { cs: 0.6, a: 0.0, ..row(1, 0.0) },
    ];
    Steps { rows, guidance }
}

fn requests(indices: &[u64]) -> Vec<Request> {
    indices.iter().map(|&index| Request { index, label: Some((index % 3) as u32) }).collect()
}

fn sample(options: Options, guidance: f32, indices: &[u64]) -> Vec<f32> {
    let mut cpu = cpu(options);
    let parts = indices.chunks(options.batch);
    let run = |indices: &[u64]| {
        cpu.trajectory(&steps(guidance), &requests(indices), &Hashed, &mut |_| ControlFlow::Continue(())).expect("a trajectory")
    };
    parts.flat_map(run).collect()
}

/// One image in float64, by the definition of a row.
fn reference(index: u64, label: u32, guidance: f32) -> Vec<f64> {
    let (plan, weights) = pair();
    let draw = |draw| {
        let mut z = vec![0.0; ELEMENTS];
        Hashed.fill(index, draw, &mut z);
        z.into_iter().map(f64::from).collect::<Vec<_>>()
    };
    let mut x = draw(0);
    let (mut saved, mut history) = (vec![0.0; ELEMENTS], vec![vec![0.0; ELEMENTS]; 2]);
    for (step, row) in steps(guidance).rows.iter().enumerate() {
        let net = |label: u32| {
            let fed: Vec<f32> = x.iter().map(|x| (x * f64::from(row.scale)) as f32).collect();
            let inputs = Inputs { images: &fed, times: &[row.time], labels: Some(&[label]) };
            interpret::net(&plan.backbones[row.backbone].net, &inputs, &weights[row.backbone]).expect("a program that runs")
        };
        let (conditional, unconditional) = (net(label), net(3));
        let z = draw(step as u32 + 1);
        let c = |factor: f32| f64::from(factor);
        let f = |i: usize| conditional[i] + c(guidance) * (conditional[i] - unconditional[i]);
        let bound = row.clip.map_or(f64::INFINITY, f64::from);
        let m: Vec<f64> = (0..ELEMENTS).map(|i| (c(row.a) * x[i] + c(row.b) * f(i)).clamp(-bound, bound)).collect();
        history.insert(0, m);
        let terms = |i: usize| (0..3).map(|j| c(row.history[j]) * history[j][i]).sum::<f64>();
        let next = (0..ELEMENTS).map(|i| c(row.c0) * x[i] + c(row.cs) * saved[i] + terms(i) + c(row.cz) * z[i]).collect();
        if row.save {
            saved = x;
        }
        x = next;
    }
    x
}

#[test]
fn trajectories_follow_the_rows() {
    for guidance in [0.0, 0.7] {
        let indices = [3, 11];
        let found = sample(Options { batch: 2, ..Options::default() }, guidance, &indices);
        for (index, found) in indices.iter().zip(found.chunks(ELEMENTS)) {
            for (found, wanted) in found.iter().zip(reference(*index, (*index % 3) as u32, guidance)) {
                assert!((f64::from(*found) - wanted).abs() <= 1e-5, "guidance {guidance}: {found}, wanted {wanted}");
            }
        }
    }
}

#[test]
fn an_image_depends_on_nothing_but_itself() {
    let indices: Vec<u64> = (0..6).collect();
    let wanted = sample(Options { batch: 6, threads: 1, isa: Some(Isa::Portable) }, 0.5, &indices);
    for isa in Isa::available() {
        for (batch, threads) in [(1, 2), (2, 1), (4, 3), (6, 2), (24, 2)] {
            let found = sample(Options { batch, threads, isa: Some(isa) }, 0.5, &indices);
            assert!(bits(&wanted) == bits(&found), "{isa:?}, batch {batch}, {threads} threads");
        }
    }
    let middle = sample(Options { batch: 2, ..Options::default() }, 0.5, &indices[3..5]);
    assert!(bits(&wanted[3 * ELEMENTS..5 * ELEMENTS]) == bits(&middle));
}

#[test]
fn a_second_trajectory_starts_afresh() {
    let mut cpu = cpu(Options { batch: 2, ..Options::default() });
    let mut run = || cpu.trajectory(&steps(0.5), &requests(&[1, 2]), &Hashed, &mut |_| ControlFlow::Continue(())).expect("a trajectory");
    assert!(bits(&run()) == bits(&run()));
}

#[test]
fn the_watcher_counts_and_stops() {
    let mut cpu = cpu(Options::default());
    let mut seen = Vec::new();
    let stopped = cpu.trajectory(&steps(0.0), &requests(&[1]), &Hashed, &mut |done| {
        seen.push(done);
        if done == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert_eq!((stopped, seen), (Err(ExecutorError::Stopped { done: 3 }), vec![1, 2, 3]));
}

#[test]
fn wrong_requests_are_refused() {
    let mut cpu = cpu(Options { batch: 2, ..Options::default() });
    let mut refused = |images: &[Request]| {
        let run = cpu.trajectory(&steps(0.0), images, &Hashed, &mut |_| ControlFlow::Continue(()));
        run.expect_err("wrong requests").to_string()
    };
    assert_eq!(refused(&requests(&[0, 1, 2])), "images has 3 elements, 2 are needed");
    assert_eq!(refused(&[Request { index: 0, label: None }]), "labels has 0 elements, 1 are needed");
    assert_eq!(refused(&[Request { index: 0, label: Some(4) }]), "label 4 is out of range, labels are below 4");
}
