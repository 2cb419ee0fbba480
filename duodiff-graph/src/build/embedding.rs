//! `embedding`: the row of a table that the label names.

use luminal::op;
use luminal::prelude::symbolic::Expression;
use luminal::prelude::{Const, Dimension, GraphTensor};

use super::view::{Untyped, binary, constant, copied, repeated, seen_as, summed, windows};
use super::{Batch, Builder, Tensor, Tokens};

/// `y = table[label]`, `[1, D]`; parameter `KEY.weight` `[C, D]`.
#[inline(never)]
pub fn embedding<const C: usize, const D: usize>(b: &mut Builder, key: &str) -> Tokens<1, D> {
    let table = b.parameter::<(Const<C>, Const<D>)>(&format!("{key}.weight"), vec![C, D], &[C, D]);
    let label = b.label();
    Tensor::new(formula(table, label).reshape::<(Batch, Const<1>, Const<D>)>())
}

/// `Σ_c [c = label] · table[c]`, the numbers c counted up by primitives.
#[inline(never)]
pub(crate) fn formula<C: Dimension, D: Dimension>(table: GraphTensor<(C, D)>, label: GraphTensor<(Batch,)>) -> GraphTensor<(Batch, D)> {
    let (batch, classes, width) = (Batch::const_size(), C::const_size(), D::const_size());
    let hit = one_hot(label.no_shape(), classes);
    let shape = [batch, classes, width];
    let rows: Untyped = binary(op::Mul, repeated(hit, 2, width), repeated(table.no_shape(), 0, batch), &shape);
    summed(rows, 1, &[batch, width])
}

/// `[B]` → `[B, C]`: 1 where the class is the label, else 0: `1 − [c < label] − [label < c]`.
#[inline(never)]
fn one_hot(label: Untyped, classes: Expression) -> Untyped {
    let shape = [Batch::const_size(), classes];
    let graph = label.graph();
    let label = repeated(label, 1, classes);
    let numbers = repeated(numbers(label, classes), 0, shape[0]);
    let (below, above): (Untyped, Untyped) = (binary(op::LessThan, numbers, label, &shape), binary(op::LessThan, label, numbers, &shape));
    let miss: Untyped = binary(op::Add, below, above, &shape);
    let negative: Untyped = binary(op::Mul, miss, constant(graph, -1.0, &shape), &shape);
    binary(op::Add, negative, constant(graph, 1.0, &shape), &shape)
}

/// 0, 1, …, C − 1: window i of C − 1 zeros and C ones holds i + 1 ones.
#[inline(never)]
fn numbers(beside: Untyped, classes: Expression) -> Untyped {
    let graph = beside.graph();
    let one = constant(graph, 1.0, &[classes]);
    let mut ones: Untyped = copied(one, one.shape, &[classes]);
    ones.shape.padding[0].0 = classes - Expression::from(1);
    let length = classes + classes - Expression::from(1);
    let row: Untyped = copied(ones, ones.shape, &[length]);
    let counts: Untyped = summed(windows(row, &[], length, classes, classes), 1, &[classes]);
    let less = constant(graph, -1.0, &[classes]);
    seen_as(binary(op::Add, counts, less, &[classes]), &[classes])
}
