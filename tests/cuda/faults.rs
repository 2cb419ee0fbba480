//! A failure of any call: a typed error, no image, nothing lost; and the next trajectory is right.

use duodiff::graph::cuda::{Cuda, CudaError, Gpu, Options};
use duodiff::graph::executor::{Executor, ExecutorError, Request};
use duodiff::graph::launch::Precision;
use duodiff::graph::process::Steps;

use crate::common::pairs::Tiny;
use crate::kit::{Kit, driver, sample, try_sample};

/// Everything from opening the GPU to the images of all batches.
fn run(kit: &Kit, steps: &Steps, batches: &[Vec<Request>]) -> Result<Vec<Vec<f32>>, String> {
    let set_up = |why: CudaError| {
        assert!(matches!(why, CudaError::Device(_)), "{why}");
        why.to_string()
    };
    let gpu = Gpu::open(0).map_err(set_up)?;
    let options = Options { batch: 2, precision: kit.precision };
    let mut cuda = Cuda::new(gpu, kit.plan.clone(), kit.weights.clone(), &kit.cubins, options).map_err(set_up)?;
    let sample = |requests: &Vec<Request>| {
        try_sample(&mut cuda, steps, requests).map_err(|why| {
            assert!(matches!(why, ExecutorError::Device(_)), "{why}");
            why.to_string()
        })
    };
    batches.iter().map(sample).collect()
}

#[test]
fn every_call_may_fail() {
    let Some((driver, compiler)) = driver() else { return };
    let kit = Kit::new(&compiler, &Tiny, Precision::F32);
    let (steps, batches) = (kit.steps(2), [kit.requests(0..2), kit.requests([2]), kit.requests(3..5)]);
    let wanted = run(&kit, &steps, &batches).expect("images");
    // The driver is initialized once per process, before this.
    driver.fail(0, false);
    run(&kit, &steps, &batches).expect("images");
    let calls = driver.calls();
    assert!(calls >= 500, "{calls} calls");
    let (mut failed, mut done) = (0, 0);
    // Each call alone, and here and there all calls from one on.
    for (on, step) in [(false, 1), (true, 9)] {
        for first in (1..=calls).step_by(step) {
            driver.fail(first, on);
            match run(&kit, &steps, &batches) {
                Err(why) => {
                    assert!(why.starts_with("the device failed: cu") && why.ends_with("returned CUDA_ERROR_UNKNOWN (999)"), "{why}");
                    failed += 1;
                }
                // What is given back is of no consequence.
                Ok(images) => {
                    assert!(images == wanted, "call {first} fails and the images are others");
                    done += 1;
                }
            }
            assert_eq!(driver.live(), 0, "call {first} fails and something is not given back");
        }
    }
    println!("{failed} runs failed, {done} did not");
    assert!(failed > 4 * done, "{failed} runs failed, {done} did not");
    driver.fail(0, false);
    assert!(run(&kit, &steps, &batches).expect("images") == wanted);
}

#[test]
fn the_next_trajectory_is_right() {
    let Some((driver, compiler)) = driver() else { return };
    let kit = Kit::new(&compiler, &Tiny, Precision::F32);
    let (steps, other, requests) = (kit.steps(2), kit.steps(5), kit.requests(0..2));
    let wanted = sample(&mut kit.cuda(2), &steps, &requests);
    let mut cuda = kit.cuda(2);
    for first in 1.. {
        driver.fail(first, false);
        // Longer tables and other graphs, so that every kind of call is made.
        let failed = try_sample(&mut cuda, &other, &requests);
        let (is_done, reached) = (failed.is_ok(), driver.calls() < first);
        driver.fail(0, false);
        assert!(sample(&mut cuda, &steps, &requests) == wanted, "after call {first} failed");
        if is_done && reached {
            break;
        }
        // A new executor has no tables yet.
        cuda = kit.cuda(2);
    }
}

#[test]
fn kernels_that_go_wrong_are_found_at_the_end() {
    let Some((driver, compiler)) = driver() else { return };
    let kit = Kit::new(&compiler, &Tiny, Precision::F32);
    let (steps, requests, mut cuda) = (kit.steps(2), kit.requests(0..2), kit.cuda(2));
    driver.corrupt();
    let failed = try_sample(&mut cuda, &steps, &requests);
    assert!(matches!(&failed, Err(ExecutorError::Device(fault)) if fault.name == "CUDA_ERROR_ILLEGAL_ADDRESS"), "{failed:?}");
    let mut out = vec![0.0; kit.plan.spec.image.elements()];
    let again = cuda.forward(0, &out.clone(), &[0.0], Some(&[0]), &mut out);
    assert!(matches!(again, Err(ExecutorError::Device(_))), "a device that failed stays so");
    drop(cuda);
    assert_eq!(driver.live(), 0);
    sample(&mut kit.cuda(2), &steps, &requests);
}
