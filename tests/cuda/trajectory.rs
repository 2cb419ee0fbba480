//! Whole trajectories: equal to the CPU's, equal bits whatever the batch and the order, and stopped where the watcher says.

use std::ops::ControlFlow;

use duodiff::graph::executor::{Executor, ExecutorError};
use duodiff::graph::launch::Precision;
use duodiff::graph::noise::Philox;
use duodiff::{Mnist, Pair};

use crate::common::dit::Stitched;
use crate::common::pairs::{Cond, MlpTime, Odd, Tiny, Uncond};
use crate::common::{distance, largest};
use crate::kit::{Kit, SEED, driver, relative, sample};

/// Bound on the largest difference in float32, for values around 1.
const TRAJECTORY: f32 = 1e-3;

/// Bound on the relative error where factors are rounded.
const ROUNDED: f64 = 0.05;

#[test]
fn float32_is_the_cpu() {
    let Some((_driver, compiler)) = driver() else { return };
    let pairs: [(&dyn Pair, &str); 4] = [(&Uncond, "uncond"), (&Cond, "cond"), (&MlpTime, "mlp time"), (&Stitched, "stitched")];
    for (pair, name) in pairs {
        let kit = Kit::new(&compiler, pair, Precision::F32);
        let (steps, requests) = (kit.steps(10), kit.requests([5, 1 << 40, 0]));
        let (wanted, found) = (sample(&mut kit.cpu(3), &steps, &requests), sample(&mut kit.cuda(3), &steps, &requests));
        // Made-up networks let states grow.
        let off = distance(&found, &wanted) / largest(&wanted).max(1.0);
        println!("{name}: {off:.1e} of {:.1}", largest(&wanted));
        assert!(off <= TRAJECTORY / 10.0, "{name}: {off}");
    }
}

#[test]
fn the_trained_pair() {
    let Some((_driver, compiler)) = driver() else { return };
    for precision in Precision::ALL {
        let kit = Kit::new(&compiler, &Mnist, precision).with_weights("models/weights", "mnist");
        let (steps, requests) = (kit.steps(3), kit.requests([3]));
        let (wanted, found) = (sample(&mut kit.cpu(1), &steps, &requests), sample(&mut kit.cuda(1), &steps, &requests));
        let (off, relative) = (distance(&found, &wanted), relative(&found, &wanted));
        println!("mnist in {precision}: {off:.1e}, relative {relative:.1e}");
        let is_near = match precision {
            Precision::F32 => off <= TRAJECTORY,
            Precision::Tf32 | Precision::Bf16 => relative <= ROUNDED && relative > 1e-5,
        };
        assert!(is_near, "{precision}: {off}, relative {relative}");
    }
}

#[test]
fn bfloat16_is_near() {
    let Some((_driver, compiler)) = driver() else { return };
    let kit = Kit::new(&compiler, &Odd, Precision::Bf16);
    let (steps, requests) = (kit.steps(20), kit.requests(0..3));
    let (wanted, found) = (sample(&mut kit.cpu(3), &steps, &requests), sample(&mut kit.cuda(3), &steps, &requests));
    let off = relative(&found, &wanted);
    println!("odd: {off:.1e}");
    assert!(off <= ROUNDED && off > 1e-5, "{off}");
}

#[test]
fn batch_and_position_change_no_bit() {
    let Some((_driver, compiler)) = driver() else { return };
    // One whose batches are many tiles, one with guidance, one with ragged tiles.
    let pairs: [(&dyn Pair, Precision); 4] =
        [(&Uncond, Precision::F32), (&Uncond, Precision::Bf16), (&Tiny, Precision::F32), (&Odd, Precision::Bf16)];
    for (pair, precision) in pairs {
        let kit = Kit::new(&compiler, pair, precision);
        let (steps, elements) = (kit.steps(2), kit.plan.spec.image.elements());
        let images = |batch: usize, first: u64| {
            let mut executor = kit.cuda(batch);
            let indices: Vec<u64> = (first..8).chain(0..first).collect();
            let mut images = vec![Vec::new(); 8];
            for chunk in indices.chunks(batch) {
                let found = sample(&mut executor, &steps, &kit.requests(chunk.iter().copied()));
                for (index, image) in chunk.iter().zip(found.chunks_exact(elements)) {
                    images[*index as usize] = image.iter().map(|x| x.to_bits()).collect();
                }
            }
            images
        };
        let wanted = images(1, 0);
        assert_ne!(wanted[0], wanted[1]);
        for (batch, first) in [(3, 0), (8, 0), (3, 5), (8, 1)] {
            assert!(images(batch, first) == wanted, "{precision}: batch {batch}, from {first}");
        }
    }
}

#[test]
fn an_executor_serves_any_steps_one_after_the_other() {
    let Some((_driver, compiler)) = driver() else { return };
    let kit = Kit::new(&compiler, &Tiny, Precision::F32);
    let (requests, elements) = (kit.requests(0..2), kit.plan.spec.image.elements());
    let (mut plain, mut shifted) = (kit.steps(4), kit.steps(9));
    plain.guidance = 0.0;
    shifted.rows.iter_mut().for_each(|row| row.time += 0.25);
    // Longer ones move the tables, those of equal length have other times.
    let all = [kit.steps(3), kit.steps(9), shifted, plain, kit.steps(3)];
    let wanted = all.each_ref().map(|steps| sample(&mut kit.cuda(2), steps, &requests));
    assert_ne!(wanted[1], wanted[2]);
    for forward_between in [false, true] {
        let mut shared = kit.cuda(2);
        for (index, (steps, wanted)) in all.iter().zip(&wanted).enumerate() {
            assert!(sample(&mut shared, steps, &requests) == *wanted, "trajectory {index}");
            if forward_between {
                let mut out = vec![0.0; 2 * elements];
                shared.forward(0, &vec![0.5; 2 * elements], &[3.0, 4.0], Some(&[0, 1]), &mut out).expect("a forward");
            }
        }
    }
}

#[test]
fn an_executor_goes_from_thread_to_thread() {
    let Some((driver, compiler)) = driver() else { return };
    let kit = Kit::new(&compiler, &Tiny, Precision::F32);
    let (steps, requests) = (kit.steps(3), kit.requests(0..2));
    let mut cuda = kit.cuda(2);
    let wanted = sample(&mut cuda, &steps, &requests);
    let found = std::thread::scope(|scope| {
        let there = scope.spawn(|| {
            let found = sample(&mut cuda, &steps, &requests);
            drop(cuda);
            found
        });
        there.join().expect("a trajectory in another thread")
    });
    assert!(found == wanted && driver.live() == 0);
}

#[test]
fn the_watcher_stops_it() {
    let Some((_driver, compiler)) = driver() else { return };
    let kit = Kit::new(&compiler, &Tiny, Precision::F32);
    let (steps, requests, mut cuda) = (kit.steps(100), kit.requests([0]), kit.cuda(1));
    let mut seen = Vec::new();
    let mut watch = |done| {
        seen.push(done);
        if done >= 24 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let stopped = cuda.trajectory(&steps, &requests, &Philox { seed: SEED }, &mut watch);
    assert_eq!((stopped, seen), (Err(ExecutorError::Stopped { done: 24 }), vec![8, 16, 24]));
    let again = sample(&mut cuda, &steps, &requests);
    assert!(again == sample(&mut kit.cuda(1), &steps, &requests), "what was stopped leaves no trace");
}
