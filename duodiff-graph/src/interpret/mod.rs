//! Executes any program operator by operator in float64, with plain loops: the reference of all executors.
//!
//! Parameters, images and sinusoids enter as float32; nothing is rounded afterwards. Nothing here is fast.

mod attention;
mod conv;
mod inputs;
mod linear;
mod movement;
mod pointwise;
mod primitive;
mod rows;
mod scope;

#[cfg(test)]
mod tests;

use crate::program::{Net, Op, Program, VerifyError};
use crate::weights::Weights;

use scope::{Scope, Tensor};

/// What a run reads besides parameters. The batch B is the number of times.
#[derive(Clone, Copy, Debug, Default)]
pub struct Inputs<'a> {
    /// `[B, C, H, W]`; empty for programs that read no image.
    pub images: &'a [f32],
    /// `[B]`, as the networks are fed them: after the pair's time map.
    pub times: &'a [f32],
    /// `[B]`, for programs that read a label.
    pub labels: Option<&'a [u32]>,
}

/// Why a program could not be executed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum InterpretError {
    /// The program breaks a rule.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// An input has the wrong number of elements.
    #[error("{what}: {found} elements found, {wanted} wanted -- one entry per time")]
    Size {
        /// The input.
        what: String,
        /// Its length.
        found: usize,
        /// The length that fits.
        wanted: usize,
    },
    /// The program reads a label, and none was given.
    #[error("the program reads class labels -- give one per image")]
    NoLabels,
    /// A label beyond the table.
    #[error("label {label} found, labels below {classes} wanted")]
    Label {
        /// The label.
        label: u32,
        /// Rows of the table.
        classes: usize,
    },
    /// A parameter that the weights lack.
    #[error("parameter {0} not found in the weights")]
    Missing(String),
    /// A step table that the prelude does not compute.
    #[error("step table {0} is not computed by the prelude")]
    Table(usize),
}

/// Executes a network: prelude, then body. Returns its output, `[B, C, H, W]`.
pub fn net(net: &Net, inputs: &Inputs, weights: &Weights) -> Result<Vec<f64>, InterpretError> {
    let tables = program(&net.prelude, inputs, &[], weights)?;
    let mut outputs = program(&net.body, inputs, &tables, weights)?;
    Ok(outputs.swap_remove(0))
}

/// Executes one program. `tables`: what it reads as step tables, `[B, rows, columns]` each.
///
/// Returns its outputs in order, `[B, shape…]` each (`[shape…]` if the output is the same for all images).
pub fn program(program: &Program, inputs: &Inputs, tables: &[Vec<f64>], weights: &Weights) -> Result<Vec<Vec<f64>>, InterpretError> {
    program.verify()?;
    let batch = inputs.times.len();
    let mut tensors = inputs::load(program, inputs, tables, weights)?;
    let last_reads = last_reads(program);
    for (index, op) in program.ops.iter().enumerate() {
        let out = execute(op, program, &tensors, batch)?;
        tensors[op.out().index()] = Some(out);
        for input in op.inputs() {
            if last_reads[input.value().index()] == index {
                tensors[input.value().index()] = None;
            }
        }
    }
    let take = |id: &crate::program::ValueId| tensors[id.index()].clone().expect("invariant: verified programs write their outputs").data;
    Ok(program.outputs.iter().map(take).collect())
}

/// By value: the index of the last operator that reads it; values that are never read or are outputs stay for ever.
fn last_reads(program: &Program) -> Vec<usize> {
    let mut last = vec![usize::MAX; program.values.len()];
    for (index, op) in program.ops.iter().enumerate() {
        for input in op.inputs() {
            last[input.value().index()] = index;
        }
    }
    for output in &program.outputs {
        last[output.index()] = usize::MAX;
    }
    last
}

/// Executes one operator for every image.
fn execute(op: &Op, program: &Program, tensors: &[Option<Tensor>], batch: usize) -> Result<Tensor, InterpretError> {
    let value = program.value(op.out());
    let elements = value.elements();
    let (copies, stride) = if value.is_batched() { (batch, elements) } else { (1, 0) };
    if let Op::Primitive(op) = op {
        return Ok(Tensor { data: primitive::run(op, tensors, batch), stride });
    }
    let mut data = vec![0.0; copies * elements];
    for image in 0..copies {
        let scope = Scope { program, tensors, image };
        execute_one(op, &scope, &mut data[image * elements..][..elements])?;
    }
    Ok(Tensor { data, stride })
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
