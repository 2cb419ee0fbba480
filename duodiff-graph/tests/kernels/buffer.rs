//! Device memory of the tests: typed, between guards, filled with NaN or with noise.

use std::alloc::{Layout, alloc, dealloc};

use duodiff_graph::noise::{Noise, Philox};
use half::bf16;

use super::gpu;
use super::object::is_sanitized;

/// An element type of the kernels.
pub trait Element: Copy + PartialEq + std::fmt::Debug + 'static {
    /// The suffix of kernels and the defines of modules.
    const NAME: &'static str;
    const DEFINES: &'static [&'static str];
    /// Elements in 16 bytes.
    const CHUNK: usize = 16 / size_of::<Self>();
    /// How far a result may be from the exact one, relative to the row's largest.
    const TOLERANCE: f64;
    fn rounded(x: f64) -> Self;
    fn value(self) -> f64;
    fn bits(self) -> u32;
}

impl Element for f32 {
    const NAME: &'static str = "f32";
    const DEFINES: &'static [&'static str] = &[];
    const TOLERANCE: f64 = 2e-6;

    fn rounded(x: f64) -> Self {
        x as f32
    }

    fn value(self) -> f64 {
        self.into()
    }

    fn bits(self) -> u32 {
        self.to_bits()
    }
}

impl Element for bf16 {
    const NAME: &'static str = "bf16";
    const DEFINES: &'static [&'static str] = &["-DDUODIFF_BF16"];
    const TOLERANCE: f64 = 1.0 / 256.0;

    fn rounded(x: f64) -> Self {
        Self::from_f32(x as f32)
    }

    fn value(self) -> f64 {
        self.into()
    }

    fn bits(self) -> u32 {
        self.to_bits().into()
    }
}

/// What guards are made of.
const GUARD: u8 = 0xA5;

/// `count` elements, aligned to 16 bytes. Guards stand around them, or the sanitizer's own, which see reads too.
pub struct Buffer<E> {
    start: *mut u8,
    layout: Layout,
    guard: usize,
    count: usize,
    _elements: std::marker::PhantomData<E>,
}

impl<E: Copy> Buffer<E> {
    /// Every byte 0xFF: NaN in both formats.
    pub fn poisoned(count: usize) -> Self {
        let guard = if is_sanitized() { 0 } else { 256 };
        let bytes = count * size_of::<E>();
        let layout = Layout::from_size_align((bytes + 2 * guard).max(1), 16).unwrap();
        // SAFETY: the layout is not empty; all of it is written at once.
        let start = unsafe {
            let start = if gpu::is_asked_for() { gpu::allocate(layout) } else { alloc(layout) };
            assert!(!start.is_null());
            start.write_bytes(GUARD, layout.size());
            start.add(guard).write_bytes(0xFF, bytes);
            start
        };
        Self { start, layout, guard, count, _elements: std::marker::PhantomData }
    }

    pub fn from(elements: &[E]) -> Self {
        let mut buffer = Self::poisoned(elements.len());
        buffer.elements_mut().copy_from_slice(elements);
        buffer
    }

    /// The address that kernels take.
    pub fn pointer(&self) -> *mut E {
        // SAFETY: the elements begin behind the first guard.
        unsafe { self.start.add(self.guard).cast() }
    }

    pub fn elements(&self) -> &[E] {
        // SAFETY: `count` initialised elements lie there.
        unsafe { std::slice::from_raw_parts(self.pointer(), self.count) }
    }

    pub fn elements_mut(&mut self) -> &mut [E] {
        // SAFETY: as above, and borrowed mutably.
        unsafe { std::slice::from_raw_parts_mut(self.pointer(), self.count) }
    }
}

impl<E: Element> Buffer<E> {
    /// Standard normal numbers, rounded to E.
    pub fn normal(seed: u64, count: usize) -> Self {
        let mut noise = vec![0.0; count];
        Philox { seed }.fill(0, 0, &mut noise);
        Self::from(&noise.into_iter().map(|x| E::rounded(x.into())).collect::<Vec<_>>())
    }

    pub fn values(&self) -> Vec<f64> {
        self.elements().iter().map(|x| x.value()).collect()
    }

    pub fn bits(&self) -> Vec<u32> {
        self.elements().iter().map(|x| x.bits()).collect()
    }
}

impl<E> Drop for Buffer<E> {
    fn drop(&mut self) {
        // SAFETY: allocated with this layout; guards are within it.
        let whole = unsafe {
            let bytes = std::slice::from_raw_parts(self.start, self.layout.size());
            let whole = bytes[..self.guard].iter().chain(&bytes[bytes.len() - self.guard..]).all(|byte| *byte == GUARD);
            if gpu::is_asked_for() {
                gpu::free(self.start);
            } else {
                dealloc(self.start, self.layout);
            }
            whole
        };
        assert!(whole || std::thread::panicking(), "a kernel wrote beside its output");
    }
}
