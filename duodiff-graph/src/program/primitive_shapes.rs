//! The rule of shapes of primitive operators: views that cover their values, and equal logical shapes.

use super::shapes::{Check, Mismatch, same};
use super::{Primitive, PrimitiveFn, Program, View};

/// One logical axis: a number, or the batch.
type Length = Option<usize>;

pub(super) fn check(program: &Program, op: &Primitive) -> Check {
    let operands = match op.f {
        PrimitiveFn::Constant(_) => 0,
        PrimitiveFn::Add | PrimitiveFn::Mul | PrimitiveFn::Mod | PrimitiveFn::LessThan => 2,
        _ => 1,
    };
    same("number of inputs", op.inputs.len(), operands)?;
    let shapes = op.inputs.iter().map(|view| logical(program, view)).collect::<Result<Vec<_>, _>>()?;
    if let [a, b] = &shapes[..] {
        same("logical shape of b", b, a)?;
    }
    let mut shape = shapes.into_iter().next().unwrap_or_default();
    if let PrimitiveFn::SumReduce(axis) | PrimitiveFn::MaxReduce(axis) = op.f {
        if !shape.get(axis).is_some_and(Option::is_some) {
            return Err(Mismatch { what: "axis", found: axis.to_string(), wanted: format!("an axis of {shape:?} that is not the batch") });
        }
        shape.remove(axis);
    }
    let value = program.value(op.out);
    let batch = value.is_batched().then_some(None);
    same("logical shape", shape, batch.into_iter().chain(value.shape.iter().map(|length| Some(*length))).collect())
}

/// The logical shape of a view that covers its value.
fn logical(program: &Program, view: &View) -> Result<Vec<Length>, Mismatch> {
    let mut axes = view.order.clone();
    axes.sort_unstable();
    same("sorted order of a view", axes, (0..view.axes.len()).collect())?;
    let value = program.value(view.value);
    let stored: Vec<Length> = view.axes.iter().filter(|axis| !axis.broadcast).map(|axis| axis.length).collect();
    let (batch, lengths) = if value.is_batched() { stored.split_at(stored.len().min(1)) } else { stored.split_at(0) };
    same("batch axis of a view", batch.first(), value.is_batched().then_some(&None))?;
    let elements = lengths.iter().try_fold(1, |product, length| length.map(|length| product * length));
    same("elements of a view", elements, Some(value.elements()))?;
    view.order.iter().map(|axis| length(view, *axis)).collect()
}

/// The logical length of a storage axis.
fn length(view: &View, axis: usize) -> Result<Length, Mismatch> {
    let axis = &view.axes[axis];
    let Some(stored) = axis.length else {
        same("padding of the batch", axis.padding, (0, 0))?;
        return same("slice of the batch", axis.slice, None).map(|()| None);
    };
    let padded = stored + axis.padding.0 + axis.padding.1;
    let (start, end) = axis.slice.unwrap_or((0, padded));
    if start >= end.min(padded) {
        return Err(Mismatch { what: "slice of a view", found: format!("{start}..{end}"), wanted: format!("a part of 0..{padded}") });
    }
    Ok(Some(end.min(padded) - start))
}
