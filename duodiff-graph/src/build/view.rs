//! Views and primitives that luminal's typed functions lack or get wrong, for sizes that may be letters.

use luminal::op;
use luminal::prelude::symbolic::Expression;
use luminal::prelude::{Graph, GraphTensor, Shape, ShapeTracker};

/// A tensor whose shape is known to its tracker only.
pub(crate) type Untyped = GraphTensor<()>;

/// The node's result seen with another shape of as many elements. The tensor must be contiguous.
pub(crate) fn seen_as<S: Shape>(x: Untyped, shape: &[Expression]) -> GraphTensor<S> {
    GraphTensor::from_id(x.id, ShapeTracker::new(shape), x.graph_ref)
}

/// A copy in logical order of `x` seen through `view`, always one node.
pub(crate) fn copied<S: Shape>(x: Untyped, view: ShapeTracker, shape: &[Expression]) -> GraphTensor<S> {
    let node = x.graph().add_op(op::Contiguous).input(x.id, 0, view).finish();
    GraphTensor::from_id(node, ShapeTracker::new(shape), x.graph_ref)
}

/// A permuted copy; luminal's own `permute` ends at five axes.
pub(crate) fn permuted<S: Shape>(x: Untyped, axes: &[usize], shape: &[Expression]) -> GraphTensor<S> {
    let mut view = x.shape;
    view.permute(axes);
    copied(x, view, shape)
}

/// A new axis at `axis` along which every element is the same.
pub(crate) fn repeated(x: Untyped, axis: usize, size: Expression) -> Untyped {
    let mut view = x.shape;
    view.expand(axis, size);
    GraphTensor::from_id(x.id, view, x.graph_ref)
}

/// A constant, the same for every element of `shape`.
pub(crate) fn constant(graph: &mut Graph, value: f32, shape: &[Expression]) -> Untyped {
    let scalar = graph.constant(value);
    GraphTensor::from_id(scalar.id, ShapeTracker::fake(shape), scalar.graph_ref)
}

/// A binary primitive of two tensors of one logical shape.
pub(crate) fn binary<S: Shape, O: op::Operator + 'static>(f: O, a: Untyped, b: Untyped, shape: &[Expression]) -> GraphTensor<S> {
    let node = a.graph().add_op(f).input(a.id, 0, a.shape).input(b.id, 0, b.shape).finish();
    GraphTensor::from_id(node, ShapeTracker::new(shape), a.graph_ref)
}

/// The sum along `axis`.
pub(crate) fn summed<S: Shape>(x: Untyped, axis: usize, shape: &[Expression]) -> GraphTensor<S> {
    let node = x.graph().add_op(op::SumReduce(axis)).input(x.id, 0, x.shape).finish();
    GraphTensor::from_id(node, ShapeTracker::new(shape), x.graph_ref)
}

/// Sliding windows along the last axis: `[…, n]` → `[…, m, k]`, window i holding elements i..i + k; n = m + k − 1.
///
/// m copies of a row, one element too many each, written one after the other, shift by one from window to window.
pub(crate) fn windows(x: Untyped, lead: &[Expression], n: Expression, m: Expression, k: Expression) -> Untyped {
    let shape = |tail: &[Expression]| [lead, tail].concat();
    let axis = lead.len();
    let copies: Untyped = copied(x, repeated(x, axis, m).shape, &shape(&[m * n]));
    let mut padded = copies.shape;
    padded.padding[axis].1 = m;
    let mut shifted: Untyped = copied(copies, padded, &shape(&[m, n + Expression::from(1)]));
    shifted.shape.slices[axis + 1].1 = k;
    copied(shifted, shifted.shape, &shape(&[m, k]))
}
