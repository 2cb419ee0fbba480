//! Sixteen virtual float32 lanes on every machine: one trait, three implementations, equal bits.
//!
//! Kernels are written once over [`Simd`], always inlined, and compiled once per instruction set by [`Isa::run`].

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod portable;

use portable::Portable;

/// Number of virtual lanes.
pub(super) const LANES: usize = 16;

/// Vector operations on 16 lanes. Every one rounds as IEEE 754 says, so that all implementations give the same bits.
pub(super) trait Simd: Copy {
    /// Sixteen floats.
    type V: Copy;
    /// Rows of the largest register tile of a product: those of a packed group.
    const ROWS: usize;
    /// Panels of 16 columns of the largest register tile of a product.
    const PANELS: usize;

    /// Runs a kernel as a function of its own, compiled for this instruction set: keeps the caller small.
    fn call(self, kernel: impl Kernel);

    /// Sixteen floats from memory.
    ///
    /// # Safety
    /// `from` is valid for reading 16 floats.
    unsafe fn load(self, from: *const f32) -> Self::V;

    /// Starts to bring the line at `from` into the first-level cache. Any address will do.
    fn prefetch(self, from: *const f32);

    /// Starts to bring the line at `to` into the first-level cache, to be written. Any address will do.
    fn prefetch_to_write(self, to: *const f32);

    /// Starts to bring the line at `from` into the second-level cache. Any address will do.
    fn prefetch_far(self, from: *const f32);

    /// Sixteen floats to memory.
    ///
    /// # Safety
    /// `to` is valid for writing 16 floats.
    unsafe fn store(self, to: *mut f32, v: Self::V);

    /// The first `lanes` lanes to memory; the others as it suits.
    ///
    /// # Safety
    /// `to` is valid for writing 16 floats.
    #[inline(always)]
    unsafe fn store_first(self, to: *mut f32, v: Self::V, _lanes: usize) {
        // SAFETY: granted by the caller.
        unsafe { self.store(to, v) }
    }

    /// `x` in every lane.
    fn splat(self, x: f32) -> Self::V;
    /// a + b.
    fn add(self, a: Self::V, b: Self::V) -> Self::V;
    /// a − b.
    fn sub(self, a: Self::V, b: Self::V) -> Self::V;
    /// a · b.
    fn mul(self, a: Self::V, b: Self::V) -> Self::V;
    /// a / b.
    fn div(self, a: Self::V, b: Self::V) -> Self::V;
    /// a where a > b, else b.
    fn max(self, a: Self::V, b: Self::V) -> Self::V;
    /// a where a < b, else b.
    fn min(self, a: Self::V, b: Self::V) -> Self::V;
    /// a · b + c, rounded once.
    fn fma(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// y · 2ⁿ, where the lowest nine bits of the float `n` hold n modulo 512, and neither y nor the result is subnormal.
    fn scale2(self, y: Self::V, n: Self::V) -> Self::V;

    /// The first floats of `from`, at most 16; zeros where it is shorter.
    #[inline(always)]
    fn read(self, from: &[f32]) -> Self::V {
        self.read_or(from, 0.0)
    }

    /// The first floats of `from`, at most 16; `fill` where it is shorter.
    #[inline(always)]
    fn read_or(self, from: &[f32], fill: f32) -> Self::V {
        if from.len() >= LANES {
            // SAFETY: the slice holds 16 floats.
            unsafe { self.load(from.as_ptr()) }
        } else {
            let mut lanes = [fill; LANES];
            lanes[..from.len()].copy_from_slice(from);
            // SAFETY: the array holds 16 floats.
            unsafe { self.load(lanes.as_ptr()) }
        }
    }

    /// Writes the first lanes to `to`, at most 16.
    #[inline(always)]
    fn write(self, to: &mut [f32], v: Self::V) {
        if to.len() >= LANES {
            // SAFETY: the slice holds 16 floats.
            unsafe { self.store(to.as_mut_ptr(), v) }
        } else {
            let lanes = self.lanes(v);
            to.copy_from_slice(&lanes[..to.len()]);
        }
    }

    /// Sixteen floats of each of sixteen rows, column by column: lane i of vector j is float j of row i. Only the first `lanes` lanes are
    /// wanted; the others may hold anything.
    ///
    /// # Safety
    /// Each row is valid for reading 16 floats.
    #[inline(always)]
    unsafe fn load_columns(self, rows: [*const f32; LANES], lanes: usize) -> [Self::V; LANES] {
        let mut vectors = [self.splat(0.0); LANES];
        for (j, vector) in vectors.iter_mut().enumerate() {
            let mut column = [0.0; LANES];
            for (x, row) in column[..lanes].iter_mut().zip(rows) {
                // SAFETY: granted by the caller.
                *x = unsafe { *row.add(j) };
            }
            *vector = self.read(&column);
        }
        vectors
    }

    /// The lanes as an array.
    #[inline(always)]
    fn lanes(self, v: Self::V) -> [f32; LANES] {
        let mut lanes = [0.0; LANES];
        // SAFETY: the array holds 16 floats.
        unsafe { self.store(lanes.as_mut_ptr(), v) };
        lanes
    }

    /// `v` with zeros from lane `count` on.
    #[inline(always)]
    fn keep(self, v: Self::V, count: usize) -> Self::V {
        if count >= LANES { v } else { self.read(&self.lanes(v)[..count]) }
    }

    /// Sum of all lanes: lane i with lane i + 8, then 4, 2, 1.
    #[inline(always)]
    fn sum(self, v: Self::V) -> f32 {
        fold(self.lanes(v), |a, b| a + b)
    }

    /// The largest lane.
    #[inline(always)]
    fn largest(self, v: Self::V) -> f32 {
        fold(self.lanes(v), |a, b| if a > b { a } else { b })
    }
}

#[inline(always)]
fn fold(mut lanes: [f32; LANES], f: impl Fn(f32, f32) -> f32) -> f32 {
    let mut half = LANES / 2;
    while half > 0 {
        for i in 0..half {
            lanes[i] = f(lanes[i], lanes[i + half]);
        }
        half /= 2;
    }
    lanes[0]
}

/// A piece of work that [`Isa::run`] compiles for each instruction set.
pub(super) trait Kernel {
    /// Does the work. Implementations are `#[inline(always)]`.
    fn run<S: Simd>(self, simd: S);
}

/// An instruction set that the kernels are compiled for. Which one runs changes the time, never a bit of the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isa {
    /// Whatever the compiler's target has.
    Portable,
    /// AVX2 and FMA.
    Avx2,
    /// AVX-512F.
    Avx512,
}

impl Isa {
    /// Those of this machine, the fastest last.
    pub fn available() -> Vec<Self> {
        [Self::Portable, Self::Avx2, Self::Avx512].into_iter().filter(|isa| isa.is_available()).collect()
    }

    /// The fastest of this machine.
    pub fn detect() -> Self {
        Self::available().last().copied().unwrap_or(Self::Portable)
    }

    /// Whether this machine has it.
    #[cfg(target_arch = "x86_64")]
    pub fn is_available(self) -> bool {
        match self {
            Self::Portable => true,
            Self::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            Self::Avx512 => is_x86_feature_detected!("avx512f") && Self::Avx2.is_available(),
        }
    }

    /// Whether this machine has it.
    #[cfg(not(target_arch = "x86_64"))]
    pub fn is_available(self) -> bool {
        self == Self::Portable
    }

    /// Rows of a packed group.
    pub(super) fn rows(self) -> usize {
        match self {
            Self::Portable => Portable::ROWS,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => avx2::Avx2::ROWS,
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => avx512::Avx512::ROWS,
            #[cfg(not(target_arch = "x86_64"))]
            Self::Avx2 | Self::Avx512 => Portable::ROWS,
        }
    }

    /// Runs a kernel. An instruction set that the machine lacks falls back to the portable one.
    #[cfg(target_arch = "x86_64")]
    #[inline]
    pub(super) fn run(self, kernel: impl Kernel) {
        match self {
            // SAFETY: the features were detected just now (a cached look-up).
            Self::Avx512 if self.is_available() => unsafe { avx512::run(kernel) },
            // SAFETY: as above.
            Self::Avx2 if self.is_available() => unsafe { avx2::run(kernel) },
            _ => kernel.run(Portable),
        }
    }

    /// Runs a kernel.
    #[cfg(not(target_arch = "x86_64"))]
    #[inline]
    pub(super) fn run(self, kernel: impl Kernel) {
        kernel.run(Portable)
    }
}
