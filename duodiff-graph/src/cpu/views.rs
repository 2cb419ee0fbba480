//! Values that nobody writes: whoever reads them cuts them out of what they are made from, without a copy.

use crate::program::{Op, Origin, Patchify, Program, Unpatchify, ValueId};

/// By value: the operator that would write it, if it is read through to what that operator reads; empty for none.
pub(super) type Views = [Option<usize>];

/// The views of a program whose [`written`] output lies in memory of its own.
///
/// Patches of an input are read by linears as they pack their rows, and the pixels of patches by the convolution that comes next.
pub(super) fn of(program: &Program) -> Vec<Option<usize>> {
    let mut views = vec![None; program.values.len()];
    for (index, op) in program.ops.iter().enumerate() {
        let is_view = match op {
            Op::Patchify(op) => is_packed(program, op),
            Op::Unpatchify(op) => is_convolved(program, op, program.ops.get(index + 1)),
            _ => false,
        };
        views[op.out().index()] = (is_view && !program.outputs.contains(&op.out())).then_some(index);
    }
    views
}

/// The output that can be written into the caller's memory: the only one, if an operator writes it for each image.
pub(super) fn written(program: &Program) -> Option<ValueId> {
    let [output] = program.outputs[..] else { return None };
    (program.value(output).origin == Origin::Op).then_some(output)
}

/// Patches of what no operator writes, so that it stays, read by linears alone.
fn is_packed(program: &Program, op: &Patchify) -> bool {
    let stays = !matches!(program.value(op.image).origin, Origin::Op | Origin::Shared);
    let patches = program.whole(op.out);
    let is_packed = |reader: &Op| {
        let packed = match reader {
            Op::Linear(linear) => linear.sources.iter().filter(|source| **source == patches).count(),
            _ => 0,
        };
        readings(reader, op.out) == packed
    };
    stays && program.ops.iter().all(is_packed)
}

/// Pixels that only the next operator reads, a convolution whose output does not lie where the patches are.
fn is_convolved(program: &Program, op: &Unpatchify, next: Option<&Op>) -> bool {
    let Some(Op::Conv3x3(conv)) = next else { return false };
    let all: usize = program.ops.iter().map(|reader| readings(reader, op.out)).sum();
    conv.x == op.out && all == 1 && written(program) == Some(conv.out)
}

/// How often an operator reads a value.
fn readings(reader: &Op, id: ValueId) -> usize {
    reader.inputs().iter().filter(|input| input.value() == id).count()
}
