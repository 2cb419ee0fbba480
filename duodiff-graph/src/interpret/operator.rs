//! One operator, for all images.

use crate::program::{Op, Program};

use super::scope::{Scope, Tensor};
use super::{InterpretError, attention, conv, linear, movement, pointwise, primitive, rows};

/// Executes one operator for every image. `tensors`: by value, what was written so far.
pub(super) fn execute(op: &Op, program: &Program, tensors: &[Option<Tensor>], batch: usize) -> Result<Tensor, InterpretError> {
    let value = program.value(op.out());
    let elements = value.elements();
    let (copies, stride) = if value.is_batched() { (batch, elements) } else { (1, 0) };
    if let Op::Primitive(op) = op {
        return Ok(Tensor { data: primitive::run(op, tensors, batch).into(), stride });
    }
    let mut data = vec![0.0; copies * elements];
    for image in 0..copies {
        let scope = Scope { program, tensors, image };
        execute_one(op, &scope, &mut data[image * elements..][..elements])?;
    }
    Ok(Tensor { data: data.into(), stride })
}

/// Executes one operator for one image. `out`: the value that it writes.
fn execute_one(op: &Op, scope: &Scope, out: &mut [f64]) -> Result<(), InterpretError> {
    match op {
        Op::Linear(op) => linear::run(op, scope, out),
        Op::Norm(op) => rows::norm(op, scope, out),
        Op::Attention(op) => attention::run(op, scope, out),
        Op::Activate(op) => pointwise::activate(op, scope, out),
        Op::Softmax(op) => rows::softmax(op, scope, out),
        Op::Binary(op) => pointwise::binary(op, scope, out),
        Op::Affine(op) => pointwise::affine(op, scope, out),
        Op::Join(op) => movement::join(op, scope, out),
        Op::Slice(op) => movement::slice(op, scope, out),
        Op::Embedding(op) => return movement::embedding(op, scope, out),
        Op::Patchify(op) => movement::patchify(op, scope, out),
        Op::Unpatchify(op) => movement::unpatchify(op, scope, out),
        Op::Conv3x3(op) => conv::run(op, scope, out),
        Op::Primitive(_) => unreachable!("invariant: primitives are executed for all images at once"),
    }
    Ok(())
}
