//! Operators of tokens without parameters: attention, activations, join, split, sinusoid.

use super::{Argument, Callee, Evaluator, Fault, Operands, Shape, Tokens, Value, divisors, fault};

impl Evaluator<'_> {
    /// Multi-head attention of packed qkv `[rows, 3·D]`, or of q `[rows, D]` with k and v `[keys, D]`.
    pub(super) fn attention(&mut self, operands: &Operands) -> Result<Value, Fault> {
        let packed = operands.plain.len() == 2;
        let (heads, heads_span) = operands.size(if packed { 1 } else { 3 }, "the number of heads")?;
        let first = operands.tokens(0)?;
        let (q, k, v) = if packed {
            let (variable, rows, columns) = first;
            if columns % 3 != 0 {
                let message = format!("{columns} columns are not q, k and v side by side -- make it 3 times as wide as the tokens");
                return fault(operands.get(0)?.1, message);
            }
            check_heads(heads, columns / 3, heads_span)?;
            let width = columns / 3;
            let mut part = |index: usize| self.columns((variable, rows, columns), index * width, width);
            (part(0)?, part(1)?, part(2)?)
        } else {
            let (q, k, v) = (first, operands.tokens(1)?, operands.tokens(2)?);
            if k.2 != q.2 {
                return fault(operands.get(1)?.1, format!("k is {} wide, q {} -- make them equally wide", k.2, q.2));
            }
            if (v.1, v.2) != (k.1, k.2) {
                let message = format!("v is [{}, {}], k [{}, {}] -- make them of one shape", v.1, v.2, k.1, k.2);
                return fault(operands.get(2)?.1, message);
            }
            check_heads(heads, q.2, heads_span)?;
            (q, k, v)
        };
        let sizes = vec![q.1, k.1, q.2, heads, q.2 / heads];
        let arguments = [q, k, v].map(|(variable, ..)| Argument::Tensor(variable)).to_vec();
        Ok(self.emit("attention", sizes, arguments, Shape::Tokens { rows: q.1, columns: q.2 }))
    }

    /// A window of columns.
    fn columns(&mut self, (x, rows, columns): Tokens, start: usize, width: usize) -> Result<Tokens, Fault> {
        let arguments = vec![Argument::Tensor(x), Argument::Integer(start)];
        taken(self.emit("columns", vec![rows, columns, width], arguments, Shape::Tokens { rows, columns: width }))
    }

    /// Element by element, or row by row: the shape stays.
    pub(super) fn elementwise(&mut self, function: &'static str, operands: &Operands) -> Result<Value, Fault> {
        let (x, rows, columns) = operands.tokens(0)?;
        Ok(self.emit(function, vec![rows, columns], vec![Argument::Tensor(x)], Shape::Tokens { rows, columns }))
    }

    /// One below the other, pair by pair from the left.
    pub(super) fn join_tokens(&mut self, operands: &Operands) -> Result<Value, Fault> {
        let mut joined = operands.tokens(0)?;
        for index in 1..operands.plain.len() {
            let (next, rows, columns) = operands.tokens(index)?;
            if columns != joined.2 {
                let message = format!("tokens {columns} wide do not join tokens {} wide -- make them equally wide", joined.2);
                return fault(operands.get(index)?.1, message);
            }
            let total = joined.1 + rows;
            let arguments = vec![Argument::Tensor(joined.0), Argument::Tensor(next)];
            let shape = Shape::Tokens { rows: total, columns };
            joined = taken(self.emit("join_tokens", vec![joined.1, rows, total, columns], arguments, shape))?;
        }
        Ok(Value::Tokens(joined.0, joined.1, joined.2))
    }

    /// Side by side, pair by pair from the left.
    pub(super) fn join_features(&mut self, operands: &Operands) -> Result<Value, Fault> {
        let mut joined = operands.tokens(0)?;
        for index in 1..operands.plain.len() {
            let (next, rows, columns) = operands.tokens(index)?;
            if rows != joined.1 {
                let message = format!("{rows} tokens do not go beside {} tokens -- make them equally many", joined.1);
                return fault(operands.get(index)?.1, message);
            }
            let total = joined.2 + columns;
            let arguments = vec![Argument::Tensor(joined.0), Argument::Tensor(next)];
            let shape = Shape::Tokens { rows, columns: total };
            joined = taken(self.emit("join_features", vec![rows, joined.2, columns, total], arguments, shape))?;
        }
        Ok(Value::Tokens(joined.0, joined.1, joined.2))
    }

    /// Columns in equal parts.
    pub(super) fn split(&mut self, operands: &Operands) -> Result<Value, Fault> {
        let x = operands.tokens(0)?;
        let (parts, span) = operands.size(1, "the number of parts")?;
        let (_, rows, columns) = x;
        if columns % parts != 0 {
            return fault(span, format!("{parts} parts do not divide {columns} columns -- {}", divisors(columns)));
        }
        let width = columns / parts;
        if parts > 64 {
            return fault(span, format!("{parts} parts are too many to be named -- use at most 64"));
        }
        let part = |part| self.columns(x, part * width, width).map(|(variable, ..)| Value::Tokens(variable, rows, width));
        (0..parts).map(part).collect::<Result<_, _>>().map(Value::Tuple)
    }

    /// `[cos | sin]` of the time at geometric frequencies.
    pub(super) fn sinusoid(&mut self, operands: &Operands) -> Result<Value, Fault> {
        let (time, span) = operands.get(0)?;
        if time != Value::Time {
            return fault(span, format!("{} where the time belongs -- use the input `t`; the pair's `time` maps it", time.kind()));
        }
        let (width, span) = operands.size(1, "the width")?;
        if width % 2 != 0 {
            return fault(span, format!("a sinusoid has as many cosines as sines, found width {width} -- use an even width"));
        }
        Ok(self.frame.emit(Callee::Method("sinusoid"), vec![width], Vec::new(), Shape::Tokens { rows: 1, columns: width }))
    }
}

fn check_heads(heads: usize, width: usize, span: proc_macro2::Span) -> Result<(), Fault> {
    if width.is_multiple_of(heads) {
        return Ok(());
    }
    fault(span, format!("{heads} heads do not divide the width {width} -- {}", divisors(width)))
}

fn taken(value: Value) -> Result<Tokens, Fault> {
    match value {
        Value::Tokens(variable, rows, columns) => Ok((variable, rows, columns)),
        _ => Err(Fault::Known),
    }
}
