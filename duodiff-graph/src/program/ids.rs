//! All ids that an operator holds, for renumbering.

use super::{Op, RowNorm, ValueId};

impl RowNorm {
    fn ids_mut(&mut self) -> impl Iterator<Item = &mut ValueId> {
        self.gain.as_mut().into_iter().chain(self.shift.as_mut())
    }
}

impl Op {
    /// The ids of all values that the operator reads or writes.
    pub fn ids_mut(&mut self) -> Vec<&mut ValueId> {
        match self {
            Op::Linear(op) => {
                let windows = op.sources.iter_mut().chain(op.residual.as_mut()).map(|operand| &mut operand.value);
                let norm = op.norm.as_mut().into_iter().flat_map(RowNorm::ids_mut);
                windows.chain(norm).chain(op.bias.as_mut()).chain([&mut op.weight, &mut op.out]).collect()
            }
            Op::Norm(op) => op.norm.ids_mut().chain([&mut op.x.value, &mut op.out]).collect(),
            Op::Attention(op) => vec![&mut op.q.value, &mut op.k.value, &mut op.v.value, &mut op.out],
            Op::Activate(op) => vec![&mut op.x.value, &mut op.out],
            Op::Softmax(op) => vec![&mut op.x.value, &mut op.out],
            Op::Binary(op) => vec![&mut op.a.value, &mut op.b.value, &mut op.out],
            Op::Affine(op) => vec![&mut op.x.value, &mut op.out],
            Op::Join(op) => op.parts.iter_mut().map(|part| &mut part.value).chain([&mut op.out]).collect(),
            Op::Slice(op) => vec![&mut op.x.value, &mut op.out],
            Op::Embedding(op) => vec![&mut op.label, &mut op.table, &mut op.out],
            Op::Patchify(op) => vec![&mut op.image, &mut op.out],
            Op::Unpatchify(op) => vec![&mut op.x.value, &mut op.out],
            Op::Conv3x3(op) => vec![&mut op.x, &mut op.weight, &mut op.bias, &mut op.out],
            Op::Primitive(op) => op.inputs.iter_mut().map(|view| &mut view.value).chain([&mut op.out]).collect(),
        }
    }
}
