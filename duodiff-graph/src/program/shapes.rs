//! The rule of shapes of each operator.

use super::{Attention, Conv3x3, Embedding, Join, JoinAxis, Linear, Op, Operand, Origin, Patchify, Program, RowNorm, Unpatchify, ValueId};
use super::{primitive_shapes, value::Value};

/// A field whose shape does not fit.
pub(super) struct Mismatch {
    pub what: &'static str,
    pub found: String,
    pub wanted: String,
}

pub(super) type Check = Result<(), Mismatch>;

/// Fails unless `found` equals `wanted`.
pub(super) fn same<T: PartialEq + std::fmt::Debug>(what: &'static str, found: T, wanted: T) -> Check {
    if found == wanted {
        return Ok(());
    }
    Err(Mismatch { what, found: format!("{found:?}"), wanted: format!("{wanted:?}") })
}

/// Checks one operator whose inputs lie inside their values.
pub(super) fn check(program: &Program, op: &Op) -> Check {
    let pointwise = |x: &Operand| written(program, op.out(), &x.shape());
    match op {
        Op::Linear(op) => linear(program, op),
        Op::Norm(op) => {
            row_norm(program, &op.norm, op.x.columns.len())?;
            pointwise(&op.x)
        }
        Op::Attention(op) => attention(program, op),
        Op::Activate(op) => pointwise(&op.x),
        Op::Softmax(op) => pointwise(&op.x),
        Op::Binary(op) => {
            let rows = if op.b.rows.len() == 1 { 1 } else { op.a.rows.len() };
            same("b", op.b.shape(), [rows, op.a.columns.len()])?;
            pointwise(&op.a)
        }
        Op::Affine(op) => pointwise(&op.x),
        Op::Join(op) => join(program, op),
        Op::Slice(op) => pointwise(&op.x),
        Op::Embedding(op) => embedding(program, op),
        Op::Patchify(op) => patchify(program, op),
        Op::Unpatchify(op) => unpatchify(program, op),
        Op::Conv3x3(op) => conv3x3(program, op),
        Op::Primitive(op) => primitive_shapes::check(program, op),
    }
}

fn written(program: &Program, out: ValueId, wanted: &[usize]) -> Check {
    same("out", program.value(out).shape.as_slice(), wanted)
}

/// The parameter behind an id.
fn param<'a>(program: &'a Program, what: &'static str, id: ValueId) -> Result<&'a Value, Mismatch> {
    let value = program.value(id);
    match value.origin {
        Origin::Param { .. } => Ok(value),
        _ => Err(Mismatch { what, found: "computed".into(), wanted: "a parameter".into() }),
    }
}

/// A parameter of one row: `[D]`, or `[1, D]`.
fn row(program: &Program, what: &'static str, id: Option<ValueId>, width: usize) -> Check {
    let Some(id) = id else { return Ok(()) };
    let shape = &param(program, what, id)?.shape;
    let shape = if shape.len() == 2 && shape[0] == 1 { &shape[1..] } else { shape };
    same(what, shape, &[width])
}

fn row_norm(program: &Program, norm: &RowNorm, width: usize) -> Check {
    row(program, "gain", norm.gain, width)?;
    row(program, "shift", norm.shift, width)
}

fn linear(program: &Program, op: &Linear) -> Check {
    if op.sources.is_empty() || op.sources.len() > 2 {
        return same("number of sources", op.sources.len(), 1);
    }
    let rows = op.sources[0].rows.len();
    for source in &op.sources {
        same("rows of a source", source.rows.len(), rows)?;
    }
    let depth = op.sources.iter().map(|source| source.columns.len()).sum();
    if let Some(norm) = &op.norm {
        row_norm(program, norm, depth)?;
    }
    let weight = &param(program, "weight", op.weight)?.shape;
    let width = weight.first().copied().unwrap_or_default();
    same("weight", weight.as_slice(), &[width, depth])?;
    row(program, "bias", op.bias, width)?;
    if let Some(residual) = &op.residual {
        same("residual", residual.shape(), [rows, width])?;
    }
    written(program, op.out, &[rows, width])
}

fn attention(program: &Program, op: &Attention) -> Check {
    let [rows, width] = op.q.shape();
    if op.heads == 0 || !width.is_multiple_of(op.heads) {
        return Err(Mismatch { what: "heads", found: op.heads.to_string(), wanted: format!("a divisor of {width}") });
    }
    same("k", op.k.shape(), [op.k.rows.len(), width])?;
    same("v", op.v.shape(), op.k.shape())?;
    written(program, op.out, &[rows, width])
}

fn join(program: &Program, op: &Join) -> Check {
    if op.parts.len() < 2 {
        return same("number of parts", op.parts.len(), 2);
    }
    let axis = match op.axis {
        JoinAxis::Rows => 0,
        JoinAxis::Columns => 1,
    };
    let mut joined = op.parts[0].shape();
    for part in &op.parts[1..] {
        same("the other axis of a part", part.shape()[1 - axis], joined[1 - axis])?;
        joined[axis] += part.shape()[axis];
    }
    written(program, op.out, &joined)
}

fn embedding(program: &Program, op: &Embedding) -> Check {
    same("label", &program.value(op.label).origin, &Origin::Label)?;
    let table = &param(program, "table", op.table)?.shape;
    same("rank of table", table.len(), 2)?;
    written(program, op.out, &[1, table[1]])
}

/// `[C, H, W]` of an image whose sides `patch` divides.
fn image(program: &Program, what: &'static str, id: ValueId, patch: usize) -> Result<[usize; 3], Mismatch> {
    let shape = &program.value(id).shape;
    match shape[..] {
        [channels, height, width] if patch > 0 && height.is_multiple_of(patch) && width.is_multiple_of(patch) => {
            Ok([channels, height, width])
        }
        _ => Err(Mismatch { what, found: format!("{shape:?}"), wanted: format!("[C, H, W] with sides that {patch} divides") }),
    }
}

fn patchify(program: &Program, op: &Patchify) -> Check {
    let [channels, height, width] = image(program, "image", op.image, op.patch)?;
    written(program, op.out, &[height / op.patch * (width / op.patch), channels * op.patch * op.patch])
}

fn unpatchify(program: &Program, op: &Unpatchify) -> Check {
    let [channels, height, width] = image(program, "out", op.out, op.patch)?;
    same("x", op.x.shape(), [height / op.patch * (width / op.patch), op.patch * op.patch * channels])
}

fn conv3x3(program: &Program, op: &Conv3x3) -> Check {
    let [channels, height, width] = image(program, "x", op.x, 1)?;
    let weight = &param(program, "weight", op.weight)?.shape;
    let outputs = weight.first().copied().unwrap_or_default();
    same("weight", weight.as_slice(), &[outputs, channels, 3, 3])?;
    row(program, "bias", Some(op.bias), outputs)?;
    written(program, op.out, &[outputs, height, width])
}
