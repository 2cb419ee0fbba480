//! Programs in the operators that kernels execute: a linear reads rows that lie in memory, so layer norms that it does not make up for are
//! taken out of linears again;
//! a primitive operator does not read tables of steps, so it reads a copy of the current step's entry.

use std::collections::BTreeSet;

use super::folds;
use crate::program::{Join, JoinAxis, Linear, Norm, Op, Operand, Origin, Primitive, Program, RowNorm, Slice, ValueId};

/// The program with each norm of a linear that is not folded, and each copy, as an operator of its own. The values `summed` have
/// statistics.
pub(super) fn unfuse(program: &Program, summed: &BTreeSet<ValueId>) -> Program {
    let mut unfused = Program { ops: Vec::new(), ..program.clone() };
    for op in &program.ops {
        match op {
            Op::Linear(linear) if folds::is_folded(program, linear, summed) => unfused.ops.push(op.clone()),
            Op::Linear(Linear { norm: Some(norm), .. }) => split(&mut unfused, op, norm),
            Op::Primitive(primitive) => copy_entries(&mut unfused, primitive),
            _ => unfused.ops.push(op.clone()),
        }
    }
    unfused
}

fn split(program: &mut Program, op: &Op, norm: &RowNorm) {
    let Op::Linear(linear) = op else { return };
    let x = match &linear.sources[..] {
        [only] => only.clone(),
        parts => join(program, parts),
    };
    let out = like(program, &x);
    program.ops.push(Op::Norm(Norm { x, norm: norm.clone(), out }));
    let sources = vec![program.whole(out)];
    program.ops.push(Op::Linear(Linear { sources, norm: None, ..linear.clone() }));
}

fn copy_entries(program: &mut Program, primitive: &Primitive) {
    let mut primitive = primitive.clone();
    for view in &mut primitive.inputs {
        if matches!(program.value(view.value).origin, Origin::Sinusoid | Origin::StepTable(_)) {
            let x = program.whole(view.value);
            let out = like(program, &x);
            program.ops.push(Op::Slice(Slice { x, out }));
            view.value = out;
        }
    }
    program.ops.push(Op::Primitive(primitive));
}

/// The parts side by side, as a value.
fn join(program: &mut Program, parts: &[Operand]) -> Operand {
    let columns = parts.iter().map(|part| part.columns.len()).sum();
    let origin = if parts.iter().any(|part| program.value(part.value).is_batched()) { Origin::Op } else { Origin::Shared };
    let out = program.add_value([parts[0].rows.len(), columns], origin);
    program.ops.push(Op::Join(Join { axis: JoinAxis::Columns, parts: parts.to_vec(), out }));
    program.whole(out)
}

/// A value of an operand's shape.
fn like(program: &mut Program, x: &Operand) -> ValueId {
    let origin = if program.value(x.value).is_batched() { Origin::Op } else { Origin::Shared };
    program.add_value(x.shape(), origin)
}
