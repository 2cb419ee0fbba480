//! Rows that nobody reads are not computed: a slice of rows moves up through operators that work row by row.
//!
//! So the last block of a U-ViT computes the patches' rows only, though its attention still reads keys and values of all rows.
//! Preconditions: no reader and no output needs the other rows; the operator works row by row (attention: by rows of q).

use std::ops::Range;

use crate::program::{Input, Join, JoinAxis, Net, Op, Operand, Program, Slice, ValueId};

use super::{Findings, Refusal};

/// What the readers of a value need.
#[derive(Clone, Default)]
struct Need {
    /// The smallest range that holds all rows that are read.
    rows: Option<Range<usize>>,
    /// Whether some reader does without some rows.
    is_partial: bool,
}

pub(super) fn run(net: &mut Net) -> Findings {
    let mut findings = Findings::default();
    for program in [&mut net.prelude, &mut net.body] {
        shrink(program, &mut findings);
    }
    findings
}

/// Visits the operators last to first, so that all readers of a value are seen before its writer.
fn shrink(program: &mut Program, findings: &mut Findings) {
    let mut needs = vec![Need::default(); program.values.len()];
    for output in program.outputs.clone() {
        need(program, &mut needs, output, None);
    }
    for index in (0..program.ops.len()).rev() {
        let out = program.ops[index].out();
        let Need { rows, is_partial } = needs[out.index()].clone();
        if let (true, Some(rows)) = (is_partial, rows) {
            match shrink_one(program, index, &rows) {
                Ok(()) => findings.fused += 1,
                Err(reason) => findings.refused.push(Refusal { op: program.text_of(&program.ops[index]), reason }),
            }
        }
        let op = program.ops[index].clone();
        for input in op.inputs() {
            let rows = match &input {
                Input::Window(operand) => Some(operand.rows.clone()),
                Input::Whole(_) => None,
            };
            need(program, &mut needs, input.value(), rows);
        }
    }
}

/// Notes that `rows` of a value are read; all of them if none are given.
fn need(program: &Program, needs: &mut [Need], id: ValueId, rows: Option<Range<usize>>) {
    let [all, _] = program.value(id).shape[..] else { return };
    let need = &mut needs[id.index()];
    let rows = rows.unwrap_or(0..all);
    need.is_partial |= rows != (0..all);
    need.rows = Some(match &need.rows {
        Some(known) => known.start.min(rows.start)..known.end.max(rows.end),
        None => rows,
    });
}

/// Makes the operator at `index` compute `rows` only, and lets its readers count from the first of them.
fn shrink_one(program: &mut Program, index: usize, rows: &Range<usize>) -> Result<(), &'static str> {
    let out = program.ops[index].out();
    if program.value(out).shape[0] == rows.len() {
        return Err("another operator reads the rows that this one's reader drops");
    }
    program.ops[index] = restrict(&program.ops[index], rows).ok_or("it does not work row by row")?;
    program.values[out.index()].shape[0] = rows.len();
    for reader in &mut program.ops[index + 1..] {
        for operand in reader.operands_mut() {
            if operand.value == out {
                operand.rows = operand.rows.start - rows.start..operand.rows.end - rows.start;
            }
        }
    }
    Ok(())
}

/// The operator for some rows of its result only, if it works row by row.
fn restrict(op: &Op, rows: &Range<usize>) -> Option<Op> {
    let take = |operand: &mut Operand| *operand = operand.window(rows.clone(), 0..operand.columns.len());
    let mut op = op.clone();
    match &mut op {
        Op::Linear(_) | Op::Norm(_) | Op::Activate(_) | Op::Softmax(_) | Op::Affine(_) | Op::Slice(_) => {
            op.operands_mut().into_iter().for_each(take);
        }
        Op::Attention(attention) => take(&mut attention.q),
        Op::Binary(binary) => {
            take(&mut binary.a);
            if binary.b.rows.len() > 1 {
                take(&mut binary.b);
            }
        }
        Op::Join(Join { axis: JoinAxis::Columns, parts, .. }) => parts.iter_mut().for_each(take),
        Op::Join(Join { axis: JoinAxis::Rows, parts, out }) => {
            *parts = restrict_parts(parts, rows);
            if let [only] = &parts[..] {
                return Some(Op::Slice(Slice { x: only.clone(), out: *out }));
            }
        }
        Op::Embedding(_) | Op::Patchify(_) | Op::Unpatchify(_) | Op::Conv3x3(_) | Op::Primitive(_) => return None,
    }
    Some(op)
}

/// The parts of a join of rows that make up `rows` of it.
fn restrict_parts(parts: &[Operand], rows: &Range<usize>) -> Vec<Operand> {
    let mut start = 0;
    let mut kept = Vec::new();
    for part in parts {
        let length = part.rows.len();
        let inside = rows.start.clamp(start, start + length) - start..rows.end.clamp(start, start + length) - start;
        if !inside.is_empty() {
            kept.push(part.window(inside, 0..part.columns.len()));
        }
        start += length;
    }
    kept
}

#[cfg(test)]
mod tests;
