//! For benchmarks, and for the tests of kernels: a program by itself, one update of the solver, and the machine's best rates.
//!
//! No part of the interface: it changes with the kernels.

use std::hint::black_box;
use std::time::Instant;

use super::buffer::Buffer;
use super::frame::{self, Frame, Input};
use super::kernels::update;
use super::machine::Machine;
use super::params::{self, Params};
use super::simd::{Isa, Kernel, Simd};
use super::{CpuError, Options};
use crate::plan::{BackbonePlan, Cost, Layout};
use crate::process::{HISTORY, Row};
use crate::program::{Net, Program};
use crate::weights::Weights;

/// Calls per measured rate; the fastest counts.
const ROUNDS: usize = 12;

/// A program by itself, ready to run; its per-image inputs are step tables.
pub struct Single {
    plan: BackbonePlan,
    params: Params,
    machine: Machine,
    batch: usize,
    inputs: Vec<Buffer>,
    labels: Vec<u32>,
    output: Buffer,
}

impl Single {
    /// `inputs`: one buffer per step table, all images in it; `labels`: one per image, if the program reads any.
    pub fn new(program: Program, weights: Weights, inputs: &[Vec<f32>], labels: &[u32], options: Options) -> Result<Self, CpuError> {
        let Options { batch, threads, isa } = options;
        let prelude = Program { name: String::new(), values: vec![], ops: vec![], outputs: vec![] };
        let body = Layout::of(&program);
        let (arena, scratch) = (body.extent() * batch, program.ops.iter().map(|op| frame::scratch(&program, op, batch)).max());
        let plan = BackbonePlan { net: Net { prelude, body: program }, cost: Cost::default(), prelude: Layout::default(), body };
        let params = params::load(&plan, weights)?;
        let output = Buffer::zeroed(batch * plan.net.body.value(plan.net.body.outputs[0]).elements());
        let machine = Machine::new(isa.unwrap_or_else(Isa::detect), threads, arena, scratch.unwrap_or(0));
        let inputs = inputs.iter().map(|input| Buffer::of(input)).collect();
        Ok(Self { plan, params, machine, batch, inputs, labels: labels.to_vec(), output })
    }

    /// Runs all operators.
    pub fn run(&mut self) {
        let frame = Self::frame(&self.plan, &self.params, self.batch, &self.inputs, &self.labels);
        frame.run_into(&mut self.machine, self.output.floats_mut());
    }

    /// The first output of all images.
    pub fn output(&self) -> &[f32] {
        self.output.floats()
    }

    fn frame<'a>(plan: &'a BackbonePlan, params: &'a Params, batch: usize, inputs: &[Buffer], labels: &'a [u32]) -> Frame<'a> {
        let tables = inputs.iter().map(|input| Input::each(input.floats(), input.floats().len() / batch)).collect();
        let (image, sinusoid) = (Input::NONE, Input::NONE);
        let Params { body: params, views, .. } = params;
        Frame { program: &plan.net.body, layout: &plan.body, params, views, batch, image, sinusoid, tables, labels, output: None }
    }
}

/// The solver's update of one image.
pub struct Update {
    row: Row,
    /// x, f, saved, noise and the history, newest first.
    state: [Vec<f32>; 4 + HISTORY],
}

impl Update {
    /// One row, for an image of `elements` floats.
    pub fn new(row: Row, elements: usize) -> Self {
        Self { row, state: std::array::from_fn(|_| vec![0.5; elements]) }
    }

    /// Runs it.
    pub fn run(&mut self) {
        let [x, f, saved, z, newest, older @ ..] = &mut self.state;
        let older = older.each_ref().map(Vec::as_slice);
        Isa::detect().run(update::Update { row: &self.row, x, f, saved, newest, older, z });
    }
}

/// Floating-point operations per second of fused multiply-adds in registers, all threads at once.
pub fn multiply_add_rate(threads: usize) -> f64 {
    const ITERATIONS: usize = 200_000;
    let isa = Isa::detect();
    // As many chains as hide the latency and fit into the registers.
    let chains = if isa == Isa::Avx512 { 12 } else { 6 };
    let time = best(threads, 8 * threads, |_| match isa {
        Isa::Avx512 => isa.run(Chains::<12>(ITERATIONS)),
        _ => isa.run(Chains::<6>(ITERATIONS)),
    });
    (8 * threads * ITERATIONS * chains * super::simd::LANES * 2) as f64 / time
}

/// Bytes per second, read and written together, of a plain copy that handles `bytes` bytes on all threads.
pub fn copy_rate(threads: usize, bytes: usize) -> f64 {
    const PART: usize = 8192;
    let parts = (bytes / 2 / (PART * size_of::<f32>())).max(1);
    let from = vec![1.0_f32; parts * PART];
    let to: Vec<_> = (0..parts).map(|_| std::sync::Mutex::new(vec![0.0_f32; PART])).collect();
    let time = best(threads, parts, |part| {
        let mut to = to[part].lock().expect("invariant: copying does not panic");
        to.copy_from_slice(black_box(&from[part * PART..][..PART]));
    });
    (2 * parts * PART * size_of::<f32>()) as f64 / time
}

/// Seconds of the fastest of some launches.
fn best(threads: usize, tasks: usize, work: impl Fn(usize) + Sync) -> f64 {
    let mut machine = Machine::new(Isa::detect(), threads, 0, 0);
    let mut time = || {
        let start = Instant::now();
        machine.launch(tasks, |_, task, _| work(task));
        start.elapsed().as_secs_f64()
    };
    (0..ROUNDS).map(|_| time()).fold(f64::INFINITY, f64::min)
}

/// `N` chains of multiply-adds, each as long as said.
struct Chains<const N: usize>(usize);

impl<const N: usize> Kernel for Chains<N> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let (a, b) = (s.splat(black_box(0.5)), s.splat(black_box(0.25)));
        let mut sums = [s.splat(0.0); N];
        for _ in 0..self.0 {
            for sum in &mut sums {
                *sum = s.fma(*sum, a, b);
            }
        }
        black_box(sums.iter().map(|sum| s.sum(*sum)).sum::<f32>());
    }
}
