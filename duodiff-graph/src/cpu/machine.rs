//! What all programs run on: the arena, the workers and their scratch.

use super::buffer::Buffer;
use super::pool::Pool;
use super::rows::Scratch;
use super::simd::{Isa, Kernel};

/// Arena, pool and scratch of one executor.
pub(super) struct Machine {
    /// Instruction set of all kernels.
    pub isa: Isa,
    pool: Pool,
    scratch: Buffer,
    each: usize,
    /// Launches so far.
    launches: u64,
    arena: Buffer,
}

impl Machine {
    /// `arena` and `scratch` (per worker) in floats.
    pub fn new(isa: Isa, threads: usize, arena: usize, scratch: usize) -> Self {
        let each = Scratch::round(scratch);
        Self { isa, pool: Pool::new(threads), scratch: Buffer::zeroed(each * threads), each, launches: 0, arena: Buffer::zeroed(arena) }
    }

    /// Number of threads.
    pub fn threads(&self) -> usize {
        self.pool.threads()
    }

    /// Floats of the arena.
    pub fn arena_floats(&self) -> usize {
        self.arena.floats().len()
    }

    /// First float of the arena.
    pub fn arena(&mut self) -> *mut f32 {
        self.arena.floats_mut().as_mut_ptr()
    }

    /// Calls `work(worker, task, scratch)` once for each task, on all threads.
    pub fn launch(&mut self, tasks: usize, work: impl Fn(usize, usize, Scratch) + Sync) {
        self.launches += 1;
        let scratch = Scratch { base: self.scratch.floats_mut().as_mut_ptr(), each: self.each, launch: self.launches };
        self.pool.run(tasks, &|worker, task| work(worker, task, scratch));
    }

    /// Launches a kernel made by `make(worker, task, scratch)` for each task.
    pub fn kernels<K: Kernel>(&mut self, tasks: usize, make: impl Fn(usize, usize, Scratch) -> K + Sync) {
        let isa = self.isa;
        self.launch(tasks, |worker, task, scratch| isa.run(make(worker, task, scratch)));
    }
}
