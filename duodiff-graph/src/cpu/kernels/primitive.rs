//! Primitive operators of any shape: correct and slow, one element after the other.

use crate::program::{Axis, PrimitiveFn, View};

/// A value in memory, as a view reads it.
#[derive(Clone, Copy)]
pub(in crate::cpu) struct Source<'a> {
    /// First float of the value of the first image.
    pub base: *const f32,
    /// Floats from one image's value to the next one's; 0 where all images share it.
    pub image: usize,
    /// Floats of the value of one image.
    pub elements: usize,
    /// How it is read.
    pub view: &'a View,
    /// What an axis of length `None` stands for.
    pub batch: usize,
}

/// Where a primitive writes: its whole output.
#[derive(Clone, Copy)]
pub(in crate::cpu) struct Target {
    /// First float.
    pub base: *mut f32,
    /// Floats of all images.
    pub elements: usize,
}

/// Length of an axis as it is read.
fn length(axis: &Axis, batch: usize) -> usize {
    let padded = axis.length.unwrap_or(batch) + axis.padding.0 + axis.padding.1;
    axis.slice.map_or(padded, |(first, last)| last.min(padded) - first.min(padded))
}

impl Source<'_> {
    fn data(&self) -> &[f32] {
        // SAFETY: the launch resolved the view to a live value of this size.
        unsafe { std::slice::from_raw_parts(self.base, (self.batch - 1) * self.image + self.elements) }
    }

    /// The logical shape.
    fn shape(&self) -> Vec<usize> {
        self.view.order.iter().map(|&axis| length(&self.view.axes[axis], self.batch)).collect()
    }

    /// The element at a logical index; 0 in the padding.
    fn at(&self, index: &[usize]) -> f32 {
        let (mut image, mut position) = (0, 0);
        for (storage, axis) in self.view.axes.iter().enumerate() {
            let Some(logical) = self.view.order.iter().position(|&axis| axis == storage) else { continue };
            if axis.broadcast {
                continue;
            }
            let stored = axis.length.unwrap_or(self.batch);
            let padded = index[logical] + axis.slice.map_or(0, |(first, _)| first);
            if padded < axis.padding.0 || padded - axis.padding.0 >= stored {
                return 0.0;
            }
            let at = padded - axis.padding.0;
            match axis.length {
                Some(_) => position = position * stored + at,
                None => image = at * self.image,
            }
        }
        self.data()[image + position]
    }
}

/// Calls `f` with every index of `shape`, the last axis fastest.
fn each(shape: &[usize], mut f: impl FnMut(&[usize])) {
    let mut index = vec![0; shape.len()];
    for _ in 0..shape.iter().product() {
        f(&index);
        for axis in (0..shape.len()).rev() {
            index[axis] += 1;
            if index[axis] < shape[axis] {
                break;
            }
            index[axis] = 0;
        }
    }
}

/// Runs a primitive: fills the output in logical order.
pub(in crate::cpu) fn run(f: PrimitiveFn, inputs: &[Source<'_>], out: Target) {
    // SAFETY: the launch resolved the output to a live buffer of its own, disjoint from the inputs.
    let mut out = unsafe { std::slice::from_raw_parts_mut(out.base, out.elements) }.iter_mut();
    let mut put = |x: f32| out.next().into_iter().for_each(|to| *to = x);
    match (f, inputs) {
        (PrimitiveFn::Constant(x), _) => put(x),
        (PrimitiveFn::SumReduce(axis), [x]) => reduce(x, axis, 0.0, |sum, x| sum + x, put),
        (PrimitiveFn::MaxReduce(axis), [x]) => reduce(x, axis, f32::NEG_INFINITY, f32::max, put),
        (f, [a]) => each(&a.shape(), |index| put(unary(f, a.at(index)))),
        (f, [a, b]) => each(&a.shape(), |index| put(binary(f, a.at(index), b.at(index)))),
        _ => {}
    }
}

fn reduce(x: &Source<'_>, axis: usize, start: f32, f: impl Fn(f32, f32) -> f32, mut put: impl FnMut(f32)) {
    let mut shape = x.shape();
    let length = shape.remove(axis);
    each(&shape, |index| {
        let mut full = index.to_vec();
        full.insert(axis, 0);
        let element = |at: usize| {
            full[axis] = at;
            x.at(&full)
        };
        put((0..length).map(element).fold(start, &f));
    });
}

fn unary(f: PrimitiveFn, x: f32) -> f32 {
    match f {
        PrimitiveFn::Log2 => libm::log2f(x),
        PrimitiveFn::Exp2 => libm::exp2f(x),
        PrimitiveFn::Sin => libm::sinf(x),
        PrimitiveFn::Sqrt => x.sqrt(),
        PrimitiveFn::Recip => 1.0 / x,
        _ => x,
    }
}

fn binary(f: PrimitiveFn, a: f32, b: f32) -> f32 {
    match f {
        PrimitiveFn::Mul => a * b,
        PrimitiveFn::Mod => a % b,
        PrimitiveFn::LessThan => f32::from(u8::from(a < b)),
        _ => a + b,
    }
}
