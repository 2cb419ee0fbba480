//! The operators. Each documents its formula and shapes; the fused forms are fields that start out empty.

use serde::{Deserialize, Serialize};

use super::{Operand, Primitive, ValueId};

/// One operator of a program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Op {
    /// See [`Linear`].
    Linear(Linear),
    /// See [`Norm`].
    Norm(Norm),
    /// See [`Attention`].
    Attention(Attention),
    /// See [`Activate`].
    Activate(Activate),
    /// See [`Softmax`].
    Softmax(Softmax),
    /// See [`Binary`].
    Binary(Binary),
    /// See [`Affine`].
    Affine(Affine),
    /// See [`Join`].
    Join(Join),
    /// See [`Slice`].
    Slice(Slice),
    /// See [`Embedding`].
    Embedding(Embedding),
    /// See [`Patchify`].
    Patchify(Patchify),
    /// See [`Unpatchify`].
    Unpatchify(Unpatchify),
    /// See [`Conv3x3`].
    Conv3x3(Conv3x3),
    /// An operator of luminal that no recogniser claimed.
    Primitive(Primitive),
}

/// `out = residual + f(norm(join_columns(sources)) · weightᵀ + bias)`.
///
/// sources: one or two windows `[M, Ki]`, K = ΣKi; weight `[N, K]` (PyTorch's layout); bias `[N]`; out and residual `[M, N]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Linear {
    /// One source, or two whose columns are joined (a skip connection).
    pub sources: Vec<Operand>,
    /// Layer norm of the joined rows before the product.
    pub norm: Option<RowNorm>,
    /// `[N, K]`.
    pub weight: ValueId,
    /// `[N]`.
    pub bias: Option<ValueId>,
    /// Applied to product + bias.
    pub activation: Option<Activation>,
    /// Added last, `[M, N]`.
    pub residual: Option<Operand>,
    /// `[M, N]`.
    pub out: ValueId,
}

/// Layer norm of rows: `(x − mean) / sqrt(variance + eps) · gain + shift`, variance biased.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RowNorm {
    /// Added to the variance.
    pub eps: f32,
    /// `[D]`, or none for 1.
    pub gain: Option<ValueId>,
    /// `[D]`, or none for 0.
    pub shift: Option<ValueId>,
}

/// `out = norm(x)`, `[L, D]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Norm {
    /// `[L, D]`.
    pub x: Operand,
    /// The normalisation.
    pub norm: RowNorm,
    /// `[L, D]`.
    pub out: ValueId,
}

/// `out = softmax(scale · q·kᵀ)·v` for each head; head h takes columns `h·K..(h+1)·K`.
///
/// q, out: `[L, H·K]`; k, v: `[M, H·K]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attention {
    /// `[L, H·K]`.
    pub q: Operand,
    /// `[M, H·K]`.
    pub k: Operand,
    /// `[M, H·K]`.
    pub v: Operand,
    /// H.
    pub heads: usize,
    /// Usually K^-½.
    pub scale: f32,
    /// `[L, H·K]`.
    pub out: ValueId,
}

/// A pointwise nonlinearity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Activation {
    /// x·Φ(x), Φ by the error function.
    Gelu,
    /// ½x(1 + tanh(√(2/π)(x + 0.044715x³))).
    GeluTanh,
    /// x·sigmoid(x).
    Silu,
}

/// `out = f(x)`, `[L, D]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Activate {
    /// `[L, D]`.
    pub x: Operand,
    /// The function.
    pub f: Activation,
    /// `[L, D]`.
    pub out: ValueId,
}

/// `out = softmax(x)` along each row, `[L, D]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Softmax {
    /// `[L, D]`.
    pub x: Operand,
    /// `[L, D]`.
    pub out: ValueId,
}

/// The function of a [`Binary`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BinaryFn {
    /// a + b.
    Add,
    /// a · b.
    Mul,
}

/// `out = a ∘ b`, element by element; if b has one row and a has more, b's row goes with each of a's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Binary {
    /// The function.
    pub f: BinaryFn,
    /// `[L, D]`.
    pub a: Operand,
    /// `[L, D]` or `[1, D]`.
    pub b: Operand,
    /// `[L, D]`.
    pub out: ValueId,
}

/// `out = x · scale + offset`, `[L, D]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Affine {
    /// `[L, D]`.
    pub x: Operand,
    /// Factor.
    pub scale: f32,
    /// Summand.
    pub offset: f32,
    /// `[L, D]`.
    pub out: ValueId,
}

/// The axis of a [`Join`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum JoinAxis {
    /// One below the other: `join_tokens`.
    Rows,
    /// Side by side: `join_features`.
    Columns,
}

/// `out` = the parts, one after the other along an axis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Join {
    /// The axis.
    pub axis: JoinAxis,
    /// Two or more; equal in the other axis.
    pub parts: Vec<Operand>,
    /// The joined tokens.
    pub out: ValueId,
}

/// `out` = a copy of a window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Slice {
    /// The window.
    pub x: Operand,
    /// Its copy.
    pub out: ValueId,
}

/// `out = table[label]`, `[1, D]` from `[classes, D]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Embedding {
    /// The label, rank 0.
    pub label: ValueId,
    /// `[classes, D]`.
    pub table: ValueId,
    /// `[1, D]`.
    pub out: ValueId,
}

/// Patches as rows: row `(i, j)` holds `[C, P, P]` of the patch at rows iP.., columns jP.. of the image.
///
/// image `[C, H, W]`; out `[(H/P)(W/P), C·P·P]`. Followed by a linear it is the strided convolution of U-ViT's `patch_embed`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Patchify {
    /// `[C, H, W]`.
    pub image: ValueId,
    /// P.
    pub patch: usize,
    /// `[(H/P)(W/P), C·P·P]`, channel slowest.
    pub out: ValueId,
}

/// An image of patches: row `(i, j)` of x holds `[P, P, C]`, channel fastest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Unpatchify {
    /// `[(H/P)(W/P), P·P·C]`.
    pub x: Operand,
    /// P.
    pub patch: usize,
    /// `[C, H, W]`.
    pub out: ValueId,
}

/// 3×3 convolution, padding 1, with bias: `[C, H, W]` → `[O, H, W]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Conv3x3 {
    /// `[C, H, W]`.
    pub x: ValueId,
    /// `[O, C, 3, 3]`.
    pub weight: ValueId,
    /// `[O]`.
    pub bias: ValueId,
    /// `[O, H, W]`.
    pub out: ValueId,
}

/// What an operator reads: a window of tokens, or a whole value of any rank.
#[derive(Clone, Debug, PartialEq)]
pub enum Input<'a> {
    /// A window of tokens.
    Window(&'a Operand),
    /// A whole value (parameters, images, labels).
    Whole(ValueId),
}

impl Input<'_> {
    /// The value that is read.
    pub fn value(&self) -> ValueId {
        match self {
            Input::Window(operand) => operand.value,
            Input::Whole(id) => *id,
        }
    }
}

impl Op {
    /// Everything that the operator reads, in the order of its fields.
    pub fn inputs(&self) -> Vec<Input<'_>> {
        use Input::{Whole, Window};
        let norm = |n: &RowNorm| n.gain.into_iter().chain(n.shift).map(Whole).collect::<Vec<_>>();
        match self {
            Op::Linear(op) => {
                let mut all: Vec<_> = op.sources.iter().map(Window).collect();
                all.extend(op.norm.as_ref().map(norm).into_iter().flatten());
                all.push(Whole(op.weight));
                all.extend(op.bias.map(Whole));
                all.extend(op.residual.as_ref().map(Window));
                all
            }
            Op::Norm(op) => std::iter::once(Window(&op.x)).chain(norm(&op.norm)).collect(),
            Op::Attention(op) => vec![Window(&op.q), Window(&op.k), Window(&op.v)],
            Op::Activate(op) => vec![Window(&op.x)],
            Op::Softmax(op) => vec![Window(&op.x)],
            Op::Binary(op) => vec![Window(&op.a), Window(&op.b)],
            Op::Affine(op) => vec![Window(&op.x)],
            Op::Join(op) => op.parts.iter().map(Window).collect(),
            Op::Slice(op) => vec![Window(&op.x)],
            Op::Embedding(op) => vec![Whole(op.label), Whole(op.table)],
            Op::Patchify(op) => vec![Whole(op.image)],
            Op::Unpatchify(op) => vec![Window(&op.x)],
            Op::Conv3x3(op) => vec![Whole(op.x), Whole(op.weight), Whole(op.bias)],
            Op::Primitive(op) => op.inputs.iter().map(|view| Whole(view.value)).collect(),
        }
    }

    /// The windows that the operator reads, for rewriting.
    pub fn operands_mut(&mut self) -> Vec<&mut Operand> {
        match self {
            Op::Linear(op) => op.sources.iter_mut().chain(op.residual.as_mut()).collect(),
            Op::Norm(op) => vec![&mut op.x],
            Op::Attention(op) => vec![&mut op.q, &mut op.k, &mut op.v],
            Op::Activate(op) => vec![&mut op.x],
            Op::Softmax(op) => vec![&mut op.x],
            Op::Binary(op) => vec![&mut op.a, &mut op.b],
            Op::Affine(op) => vec![&mut op.x],
            Op::Join(op) => op.parts.iter_mut().collect(),
            Op::Slice(op) => vec![&mut op.x],
            Op::Unpatchify(op) => vec![&mut op.x],
            Op::Embedding(_) | Op::Patchify(_) | Op::Conv3x3(_) | Op::Primitive(_) => vec![],
        }
    }

    /// The value that the operator writes.
    pub fn out(&self) -> ValueId {
        match self {
            Op::Linear(op) => op.out,
            Op::Norm(op) => op.out,
            Op::Attention(op) => op.out,
            Op::Activate(op) => op.out,
            Op::Softmax(op) => op.out,
            Op::Binary(op) => op.out,
            Op::Affine(op) => op.out,
            Op::Join(op) => op.out,
            Op::Slice(op) => op.out,
            Op::Embedding(op) => op.out,
            Op::Patchify(op) => op.out,
            Op::Unpatchify(op) => op.out,
            Op::Conv3x3(op) => op.out,
            Op::Primitive(op) => op.out,
        }
    }

    /// The operator's name in texts, e.g. `linear`.
    pub fn name(&self) -> &'static str {
        match self {
            Op::Linear(_) => "linear",
            Op::Norm(_) => "norm",
            Op::Attention(_) => "attention",
            Op::Activate(_) => "activate",
            Op::Softmax(_) => "softmax",
            Op::Binary(Binary { f: BinaryFn::Add, .. }) => "add",
            Op::Binary(Binary { f: BinaryFn::Mul, .. }) => "mul",
            Op::Affine(_) => "affine",
            Op::Join(_) => "join",
            Op::Slice(_) => "slice",
            Op::Embedding(_) => "embedding",
            Op::Patchify(_) => "patchify",
            Op::Unpatchify(_) => "unpatchify",
            Op::Conv3x3(_) => "conv3x3",
            Op::Primitive(_) => "primitive",
        }
    }
}
