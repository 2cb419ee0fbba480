//! luminal's primitive operators over views, for all images at once.

use crate::program::{Primitive, PrimitiveFn, View};

use super::scope::{Tensor, tensor};

/// One axis of a view with its numbers filled in.
struct Step {
    /// Logical length.
    length: usize,
    /// Index of the padded axis at logical index 0.
    start: usize,
    /// Zeros before the stored elements.
    before: usize,
    /// Stored length.
    stored: usize,
    /// Elements from one to the next; 0 for a broadcast axis.
    stride: usize,
    broadcast: bool,
}

/// A view with its numbers filled in, in logical order.
struct Walk<'a> {
    data: &'a [f64],
    steps: Vec<Step>,
}

impl<'a> Walk<'a> {
    fn new(view: &View, data: &'a [f64], batch: usize) -> Self {
        let mut stride = 1;
        let mut storage: Vec<Option<Step>> = Vec::new();
        for axis in view.axes.iter().rev() {
            let stored = axis.length.unwrap_or(batch);
            let padded = stored + axis.padding.0 + axis.padding.1;
            let (start, end) = axis.slice.map_or((0, padded), |(start, end)| (start, end.min(padded)));
            storage.push(Some(Step {
                length: end - start,
                start,
                before: axis.padding.0,
                stored,
                stride: if axis.broadcast { 0 } else { stride },
                broadcast: axis.broadcast,
            }));
            stride *= if axis.broadcast { 1 } else { stored };
        }
        storage.reverse();
        let steps = view.order.iter().map(|axis| storage[*axis].take().expect("invariant: an order names each axis once")).collect();
        Self { data, steps }
    }

    fn shape(&self) -> Vec<usize> {
        self.steps.iter().map(|step| step.length).collect()
    }

    /// The element at logical position `at`, row by row; 0 in the padding.
    fn element(&self, mut at: usize) -> f64 {
        let mut offset = 0;
        for step in self.steps.iter().rev() {
            let index = at % step.length + step.start;
            at /= step.length;
            if step.broadcast {
                continue;
            }
            if !(step.before..step.before + step.stored).contains(&index) {
                return 0.0;
            }
            offset += (index - step.before) * step.stride;
        }
        self.data[offset]
    }
}

/// The output for all images, contiguous in logical order.
pub(super) fn run(op: &Primitive, tensors: &[Option<Tensor>], batch: usize) -> Vec<f64> {
    let walks: Vec<Walk> = op.inputs.iter().map(|view| Walk::new(view, &tensor(tensors, view.value).data, batch)).collect();
    match op.f {
        PrimitiveFn::Constant(value) => vec![f64::from(value)],
        PrimitiveFn::Contiguous => unary(&walks, |x| x),
        PrimitiveFn::Log2 => unary(&walks, f64::log2),
        PrimitiveFn::Exp2 => unary(&walks, f64::exp2),
        PrimitiveFn::Sin => unary(&walks, f64::sin),
        PrimitiveFn::Sqrt => unary(&walks, f64::sqrt),
        PrimitiveFn::Recip => unary(&walks, f64::recip),
        PrimitiveFn::Add => binary(&walks, |a, b| a + b),
        PrimitiveFn::Mul => binary(&walks, |a, b| a * b),
        PrimitiveFn::Mod => binary(&walks, |a, b| a % b),
        PrimitiveFn::LessThan => binary(&walks, |a, b| if a < b { 1.0 } else { 0.0 }),
        PrimitiveFn::SumReduce(axis) => reduce(&walks[0], axis, 0.0, |a, b| a + b),
        PrimitiveFn::MaxReduce(axis) => reduce(&walks[0], axis, f64::NEG_INFINITY, f64::max),
    }
}

fn unary(walks: &[Walk], f: impl Fn(f64) -> f64) -> Vec<f64> {
    let count: usize = walks[0].shape().iter().product();
    (0..count).map(|at| f(walks[0].element(at))).collect()
}

fn binary(walks: &[Walk], f: impl Fn(f64, f64) -> f64) -> Vec<f64> {
    let count: usize = walks[0].shape().iter().product();
    (0..count).map(|at| f(walks[0].element(at), walks[1].element(at))).collect()
}

fn reduce(walk: &Walk, axis: usize, start: f64, f: impl Fn(f64, f64) -> f64) -> Vec<f64> {
    let shape = walk.shape();
    let outer: usize = shape[..axis].iter().product();
    let inner: usize = shape[axis + 1..].iter().product();
    let length = shape[axis];
    let one = |at: usize| {
        let (before, after) = (at / inner, at % inner);
        (0..length).fold(start, |sum, index| f(sum, walk.element((before * length + index) * inner + after)))
    };
    (0..outer * inner).map(one).collect()
}
