//! Operators that no recogniser claimed: one kernel for all of them, over strided views.

use super::{Argument, Element, Kernel, LaunchError, Lowering, Module, entry};
use crate::launch::address::{Axis, View};
use crate::program::{self, Primitive, PrimitiveFn, ValueId};

/// Most logical axes of a view.
const RANK: usize = 10;

impl Lowering<'_> {
    pub(super) fn primitive(&mut self, op: &Primitive) -> Result<(), LaunchError> {
        let (f, constant, reduced) = function(op.f);
        let mut views = op.inputs.iter().map(|view| self.view(view, reduced, op.out));
        let [a, b] = [views.next(), views.next()].map(|view| view.transpose().map(Option::unwrap_or_default));
        let (a, b) = (a?, b?);
        let elements = (self.device.program.value(op.out).elements() * self.images(op.out)) as u64;
        let element = self.element(op.out);
        let arguments = vec![
            Argument::U32(f),
            Argument::F32(constant),
            Argument::View(a),
            Argument::View(b),
            self.out(op.out),
            Argument::U32(type_code(element)),
            Argument::U64(elements),
        ];
        self.push(Kernel::new(Module::Primitive, "primitive"), entry::threads(elements)?, arguments);
        Ok(())
    }

    /// A view in logical order; an axis that is reduced stands last.
    fn view(&self, view: &program::View, reduced: Option<usize>, out: ValueId) -> Result<View, LaunchError> {
        if view.order.len() > RANK {
            return Err(self.unsupported(out, "views of more than 10 axes"));
        }
        let images = self.images(view.value);
        let strides = storage_strides(view, images);
        let mut axes: Vec<_> = view.order.iter().map(|&axis| logical(&view.axes[axis], strides[axis], images)).collect();
        if let Some(reduced) = reduced {
            let axis = axes.remove(reduced);
            axes.push(axis);
        }
        if axes.iter().any(|axis| axis.is_none()) {
            return Err(LaunchError::Large { what: "an axis", found: u64::from(u32::MAX), most: i32::MAX as u64 });
        }
        let axes = axes.into_iter().flatten().collect();
        Ok(View { base: Some(self.locate(view.value)), element: self.element(view.value), axes })
    }
}

/// Elements from one index of each storage axis to the next.
fn storage_strides(view: &program::View, images: usize) -> Vec<usize> {
    let mut stride = 1;
    let mut strides = vec![0; view.axes.len()];
    for (axis, own) in view.axes.iter().zip(&mut strides).rev().filter(|(axis, _)| !axis.broadcast) {
        *own = stride;
        stride *= axis.length.unwrap_or(images);
    }
    strides
}

/// An axis as the kernel reads it: index i stands for element `i + first` of what is stored.
fn logical(axis: &program::Axis, stride: usize, images: usize) -> Option<Axis> {
    let stored = axis.length.unwrap_or(images);
    let padded = stored + axis.padding.0 + axis.padding.1;
    let (start, end) = axis.slice.unwrap_or((0, padded));
    let length = u32::try_from(end.min(padded).saturating_sub(start)).ok()?;
    if axis.broadcast {
        return Some(Axis { stride: 0, length, stored: length, first: 0 });
    }
    let first = i32::try_from(start).ok()?.checked_sub(i32::try_from(axis.padding.0).ok()?)?;
    Some(Axis { stride: stride as u64, length, stored: u32::try_from(stored).ok()?, first })
}

/// Number of a function, the constant, and the axis that it reduces.
fn function(f: PrimitiveFn) -> (u32, f32, Option<usize>) {
    match f {
        PrimitiveFn::Constant(x) => (0, x, None),
        PrimitiveFn::Contiguous => (1, 0.0, None),
        PrimitiveFn::Log2 => (2, 0.0, None),
        PrimitiveFn::Exp2 => (3, 0.0, None),
        PrimitiveFn::Sin => (4, 0.0, None),
        PrimitiveFn::Sqrt => (5, 0.0, None),
        PrimitiveFn::Recip => (6, 0.0, None),
        PrimitiveFn::Add => (7, 0.0, None),
        PrimitiveFn::Mul => (8, 0.0, None),
        PrimitiveFn::Mod => (9, 0.0, None),
        PrimitiveFn::LessThan => (10, 0.0, None),
        PrimitiveFn::SumReduce(axis) => (11, 0.0, Some(axis)),
        PrimitiveFn::MaxReduce(axis) => (12, 0.0, Some(axis)),
    }
}

/// Number of a type in a view.
pub(in crate::launch) fn type_code(element: Element) -> u32 {
    match element {
        Element::F32 => 0,
        Element::Bf16 => 1,
    }
}
