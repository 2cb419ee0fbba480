//! Speed of the products and of a whole step, for a reader of the output: `cargo test --release speed -- --ignored --nocapture`.

use std::hint::black_box;
use std::time::Instant;

use super::uvit::{self, CIFAR, floats};
use crate::cpu::kernels::linear::{self, Cut, Linear};
use crate::cpu::kernels::pack;
use crate::cpu::machine::Machine;
use crate::cpu::rows::{Rows, RowsMut};
use crate::cpu::simd::{Kernel, Simd};
use crate::cpu::{Cpu, Isa, Options};
use crate::executor::Executor;

fn best(rounds: usize, mut f: impl FnMut()) -> f64 {
    let time = |_| {
        let start = Instant::now();
        f();
        start.elapsed().as_secs_f64()
    };
    (0..rounds).map(time).fold(f64::INFINITY, f64::min)
}

struct Peak<'a>(&'a mut f32);

impl Kernel for Peak<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let (a, b) = (s.splat(black_box(0.5)), s.splat(black_box(0.25)));
        let mut sums = [s.splat(0.0); 12];
        for _ in 0..1_000_000 {
            for sum in &mut sums {
                *sum = s.fma(*sum, a, b);
            }
        }
        *self.0 = sums.iter().map(|sum| s.sum(*sum)).sum();
    }
}

fn peak(isa: Isa) -> f64 {
    let mut out = 0.0;
    let time = best(12, || isa.run(Peak(&mut out)));
    black_box(out);
    12.0 * 16.0 * 2.0 * 1e6 / time / 1e9
}

fn product(isa: Isa, threads: usize, [m, k, n]: [usize; 3]) -> f64 {
    let mut machine = Machine::new(isa, threads, 0, linear::scratch(m, k));
    let (x, weight) = (floats(1, m * k), pack::weight(&floats(2, n * k), n, k));
    let mut out = vec![0.0; m * n];
    let sources = [Rows { base: x.as_ptr(), image: 0, stride: k, rows: m, columns: k }];
    let out = RowsMut { base: out.as_mut_ptr(), stride: n, total: m };
    let linear = Linear { sources: &sources, norm: None, weight: weight.floats(), k, n, bias: None, activation: None, residual: None, out };
    let cut = Cut::new(m, n, threads);
    let time = best(12, || {
        machine.kernels(cut.tasks(), |worker, index, scratch| linear::Task { linear, cut, index, scratch, worker });
    });
    2.0 * (m * k * n) as f64 / time / 1e9
}

#[test]
#[ignore = "a measurement"]
fn products() {
    for isa in Isa::available().into_iter().skip(1) {
        let peak = peak(isa);
        println!("{isa:?}: peak {peak:.1} GFLOP/s per core");
        for (k, n) in [(512, 1536), (512, 512), (512, 2048), (2048, 512), (1024, 512)] {
            for (images, threads) in [(4, 1), (4, 2), (1, 1), (1, 2)] {
                let rate = product(isa, threads, [257 * images, k, n]);
                println!(
                    "  M {:4} K {k:4} N {n:4} threads {threads}: {rate:6.1} = {:.0} %",
                    257 * images,
                    100.0 * rate / peak / threads as f64
                );
            }
        }
    }
}

#[test]
#[ignore = "a measurement"]
fn steps() {
    for isa in Isa::available().into_iter().skip(1) {
        for (batch, threads) in [(1, 1), (1, 2), (4, 2)] {
            let plan = uvit::uvits(&[CIFAR]);
            let weights = vec![uvit::weights(&plan.backbones[0].net, 3)];
            let mut cpu = Cpu::new(plan, weights, Options { batch, threads, isa: Some(isa) }).expect("weights that fit");
            let x = floats(1, batch * 3072);
            let mut out = vec![0.0; batch * 3072];
            let times = vec![500.0; batch];
            let time = best(4, || cpu.forward(0, &x, &times, None, &mut out).expect("sizes that fit"));
            let rate = 24.4 * batch as f64 / time;
            println!("{isa:?} batch {batch} threads {threads}: {:.1} ms, {rate:.1} GFLOP/s", time * 1e3);
        }
    }
}
