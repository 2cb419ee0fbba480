//! Programs as text: inputs, then one operator per line, then the outputs. Stable and for people; machines read the JSON.
//!
//! Parameters are written by key where they are read; a window is written only where it is not the whole value.

use std::fmt::{self, Display, Formatter};
use std::ops::Range;

use super::{Activation, Attention, JoinAxis, Linear, Net, Op, Operand, Origin, Primitive, PrimitiveFn, Program, RowNorm, ValueId, View};

impl Display for Net {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if !self.prelude.outputs.is_empty() {
            writeln!(f, "prelude of {}", self.prelude)?;
        }
        write!(f, "{}", self.body)
    }
}

impl Display for Program {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.name)?;
        for (index, value) in self.values.iter().enumerate() {
            let origin = match &value.origin {
                Origin::Image => "image".into(),
                Origin::Sinusoid => "sinusoid".into(),
                Origin::Label => "label".into(),
                Origin::StepTable(table) => format!("step table {table}"),
                Origin::Param { .. } | Origin::Op | Origin::Shared => continue,
            };
            writeln!(f, "  {} {:?} = {origin}", ValueId::new(index), value.shape)?;
        }
        for op in &self.ops {
            writeln!(f, "  {}", OpText { program: self, op })?;
        }
        let outputs: Vec<String> = self.outputs.iter().map(|output| self.name_of(*output)).collect();
        write!(f, "  return {}", outputs.join(", "))
    }
}

impl Program {
    /// One operator as text, e.g. `%7 [257, 512] = linear(%3, "mlp.fc1.weight", gelu)`.
    pub fn text_of(&self, op: &Op) -> String {
        OpText { program: self, op }.to_string()
    }

    /// A parameter's key in quotes, or a value's id.
    fn name_of(&self, id: ValueId) -> String {
        match &self.value(id).origin {
            Origin::Param { key, .. } => format!("\"{key}\""),
            _ => id.to_string(),
        }
    }

    fn window(&self, operand: &Operand) -> String {
        let name = self.name_of(operand.value);
        let shape = &self.value(operand.value).shape;
        let range = |range: &Range<usize>, length: Option<&usize>| {
            if range.start == 0 && Some(&range.end) == length { "..".into() } else { format!("{}..{}", range.start, range.end) }
        };
        let (rows, columns) = (range(&operand.rows, shape.first()), range(&operand.columns, shape.get(1)));
        if rows == ".." && columns == ".." { name } else { format!("{name}[{rows}, {columns}]") }
    }

    fn view(&self, view: &View) -> String {
        let axis = |index: &usize| {
            let axis = &view.axes[*index];
            let mut text = axis.length.map_or("b".into(), |length| length.to_string());
            if axis.broadcast {
                text.push('*');
            }
            if axis.padding != (0, 0) {
                text += &format!("+({}, {})", axis.padding.0, axis.padding.1);
            }
            if let Some((start, end)) = axis.slice {
                text += &format!("[{start}..{end}]");
            }
            text
        };
        let axes: Vec<String> = view.order.iter().map(axis).collect();
        let in_order = view.order.iter().enumerate().all(|(logical, storage)| logical == *storage);
        let order = if in_order { String::new() } else { format!(" @{:?}", view.order) };
        format!("{}({}){order}", self.name_of(view.value), axes.join(" "))
    }

    fn norm(&self, norm: &RowNorm) -> String {
        let mut text = format!("norm {:?}", norm.eps);
        let named = [("gain", norm.gain), ("shift", norm.shift)];
        for (what, id) in named.into_iter().filter_map(|(what, id)| Some((what, id?))) {
            text += &format!(" {what} {}", self.name_of(id));
        }
        text
    }

    fn linear(&self, op: &Linear) -> Vec<String> {
        let mut parts: Vec<String> = op.sources.iter().map(|source| self.window(source)).collect();
        parts.extend(op.norm.as_ref().map(|norm| self.norm(norm)));
        parts.push(format!("weight {}", self.name_of(op.weight)));
        parts.extend(op.bias.map(|bias| format!("bias {}", self.name_of(bias))));
        parts.extend(op.activation.map(|activation| activation.to_string()));
        parts.extend(op.residual.as_ref().map(|residual| format!("residual {}", self.window(residual))));
        parts
    }

    fn attention(&self, op: &Attention) -> Vec<String> {
        let mut parts: Vec<String> =
            [("q", &op.q), ("k", &op.k), ("v", &op.v)].map(|(what, operand)| format!("{what} {}", self.window(operand))).into();
        parts.extend([format!("heads {}", op.heads), format!("scale {:?}", op.scale)]);
        parts
    }

    fn primitive(&self, op: &Primitive) -> Vec<String> {
        let mut parts: Vec<String> = op.inputs.iter().map(|view| self.view(view)).collect();
        match op.f {
            PrimitiveFn::Constant(value) => parts.push(format!("{value:?}")),
            PrimitiveFn::SumReduce(axis) | PrimitiveFn::MaxReduce(axis) => parts.push(format!("axis {axis}")),
            _ => {}
        }
        parts
    }
}

/// One operator of a program.
struct OpText<'a> {
    program: &'a Program,
    op: &'a Op,
}

impl Display for OpText<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let program = self.program;
        let window = |operand: &Operand| program.window(operand);
        let mut name = self.op.name().to_string();
        let parts = match self.op {
            Op::Linear(op) => program.linear(op),
            Op::Norm(op) => vec![window(&op.x), program.norm(&op.norm)],
            Op::Attention(op) => program.attention(op),
            Op::Activate(op) => {
                name = op.f.to_string();
                vec![window(&op.x)]
            }
            Op::Softmax(op) => vec![window(&op.x)],
            Op::Binary(op) => vec![window(&op.a), window(&op.b)],
            Op::Affine(op) => vec![window(&op.x), format!("scale {:?}", op.scale), format!("offset {:?}", op.offset)],
            Op::Join(op) => {
                name += match op.axis {
                    JoinAxis::Rows => "_rows",
                    JoinAxis::Columns => "_columns",
                };
                op.parts.iter().map(window).collect()
            }
            Op::Slice(op) => vec![window(&op.x)],
            Op::Embedding(op) => vec![program.name_of(op.label), program.name_of(op.table)],
            Op::Patchify(op) => vec![program.name_of(op.image), format!("patch {}", op.patch)],
            Op::Unpatchify(op) => vec![window(&op.x), format!("patch {}", op.patch)],
            Op::Conv3x3(op) => {
                vec![program.name_of(op.x), format!("weight {}", program.name_of(op.weight)), format!("bias {}", program.name_of(op.bias))]
            }
            Op::Primitive(op) => {
                name = format!("primitive {}", op.f.name());
                program.primitive(op)
            }
        };
        let value = program.value(self.op.out());
        let shared = if value.is_batched() { "" } else { " shared" };
        write!(f, "{}{shared} {:?} = {name}({})", self.op.out(), value.shape, parts.join(", "))
    }
}

impl Activation {
    /// The function's name in texts and of kernels that apply it: `none`, or e.g. `gelu_tanh`.
    pub fn name_of(activation: Option<Self>) -> &'static str {
        match activation {
            None => "none",
            Some(Activation::Gelu) => "gelu",
            Some(Activation::GeluTanh) => "gelu_tanh",
            Some(Activation::Silu) => "silu",
        }
    }
}

impl Display for Activation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(Self::name_of(Some(*self)))
    }
}

impl PrimitiveFn {
    /// The function's name in texts, e.g. `sum_reduce`.
    pub fn name(&self) -> &'static str {
        match self {
            PrimitiveFn::Constant(_) => "constant",
            PrimitiveFn::Contiguous => "contiguous",
            PrimitiveFn::Log2 => "log2",
            PrimitiveFn::Exp2 => "exp2",
            PrimitiveFn::Sin => "sin",
            PrimitiveFn::Sqrt => "sqrt",
            PrimitiveFn::Recip => "recip",
            PrimitiveFn::Add => "add",
            PrimitiveFn::Mul => "mul",
            PrimitiveFn::Mod => "mod",
            PrimitiveFn::LessThan => "less_than",
            PrimitiveFn::SumReduce(_) => "sum_reduce",
            PrimitiveFn::MaxReduce(_) => "max_reduce",
        }
    }
}

#[cfg(test)]
mod tests;
