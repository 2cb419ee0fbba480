//! The predicted peak of memory is never below the real one and hardly above it; weights are not held twice.

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use common::dit::Stitched;
use common::pairs::{Cond, MlpTime, Uncond};
use duodiff::graph::cpu::{Cpu, Memory, Options};
use duodiff::graph::executor::{Executor, Request};
use duodiff::graph::noise::Philox;
use duodiff::graph::process::{Settings, Steps};
use duodiff::graph::weights::{Wanted, Weights};
use duodiff::{Cifar10, Mnist, Pair};

/// The system's allocator, counting the bytes that are alive and their peak.
struct Counting;

/// Names and lists beside the floats.
const LISTS: usize = 64 << 10;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        PEAK.fetch_max(LIVE.fetch_add(layout.size(), Relaxed) + layout.size(), Relaxed);
        // SAFETY: granted by the caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Relaxed);
        // SAFETY: granted by the caller.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Bytes alive now; the peak starts anew from here.
fn mark() -> usize {
    let live = LIVE.load(Relaxed);
    PEAK.store(live, Relaxed);
    live
}

/// Bytes of the tensors as they were loaded.
fn loaded(weights: &Weights) -> usize {
    weights.tensors.values().map(|tensor| 4 * tensor.data.capacity()).sum()
}

/// Bytes of the largest of them: it is held twice while it is packed.
fn largest(weights: &Weights) -> usize {
    weights.tensors.values().map(|tensor| 4 * tensor.data.capacity()).max().unwrap_or(0)
}

/// Predicted and real peak of an executor, from its weights on through a trajectory.
fn measure(pair: &dyn Pair, batch: usize, threads: usize, steps: u32) -> [usize; 2] {
    let plan = common::plan(pair);
    let settings = Settings { steps: Some(steps), ..Settings::default() };
    let steps = Steps::new(&plan.spec, &settings).expect("steps");
    let memory = Memory::predict(&plan, batch, threads, &steps.evaluations(plan.backbones.len()));
    let weights: Vec<_> = Wanted::all(&plan).iter().map(|wanted| Weights::random(1, wanted)).collect();
    let label = plan.spec.classes.map(|_| 3);
    let images: Vec<_> = (0..batch as u64).map(|index| Request { index, label }).collect();
    let once = memory.weights as usize + weights.iter().map(largest).max().unwrap_or(0);
    let without_weights = mark() - weights.iter().map(loaded).sum::<usize>();
    let options = Options { batch, threads, isa: None };
    let mut cpu = Cpu::new(plan, weights, options).expect("an executor");
    let set_up = PEAK.load(Relaxed) - without_weights;
    assert!(set_up <= once.max(memory.held() as usize) + LISTS, "{set_up} bytes held, once each are {once}: weights are held twice");
    let out = cpu.trajectory(&steps, &images, &Philox { seed: 0 }, &mut |_| ControlFlow::Continue(())).expect("a trajectory");
    let real = PEAK.load(Relaxed) - without_weights;
    assert_eq!((cpu.memory(&steps), out.len() % batch), (memory, 0));
    [memory.peak() as usize, real]
}

/// One test: the allocator counts for the whole process.
#[test]
fn the_predicted_peak_is_the_real_one() {
    let cases: &[(&dyn Pair, usize, usize, u32)] = &[
        (&Uncond, 1, 1, 50),
        (&Uncond, 64, 2, 1000),
        (&Cond, 1, 3, 5),
        (&Cond, 33, 2, 20),
        (&MlpTime, 2, 1, 1000),
        (&MlpTime, 50, 2, 1),
        (&Stitched, 1, 2, 1000),
        (&Stitched, 16, 1, 20),
        (&Mnist, 1, 1, 50),
        (&Mnist, 16, 2, 3),
        (&Cifar10, 1, 2, 1),
    ];
    let mut complaints = Vec::new();
    for &(pair, batch, threads, steps) in cases {
        let [predicted, real] = measure(pair, batch, threads, steps);
        let slack = (real / 100).max(1 << 20);
        if !(real..=real + slack).contains(&predicted) {
            let name = pair.spec().name;
            complaints.push(format!("{name}, batch {batch}, {threads} threads, {steps} steps: predicted {predicted}, found {real}"));
        }
    }
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}
