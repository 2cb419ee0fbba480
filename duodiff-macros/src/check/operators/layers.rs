//! Operators with parameters: linear, conv3x3, norm, embedding, param.

use super::{Argument, Callee, Evaluator, Fault, LARGEST, Operands, Shape, Value, fault};

impl Evaluator<'_> {
    /// `[rows, inputs]` → `[rows, width]`; parameters KEY.weight `[width, inputs]`, KEY.bias `[width]`.
    pub(super) fn linear(&mut self, operands: &Operands) -> Result<Value, Fault> {
        let (x, rows, inputs) = operands.tokens(0)?;
        let (width, _) = operands.size(1, "the width")?;
        let bias = operands.flag("bias", true)?;
        let key = self.key(operands.call)?;
        self.own(operands.call, format!("{key}.weight"), vec![width, inputs]);
        if bias {
            self.own(operands.call, format!("{key}.bias"), vec![width]);
        }
        let arguments = vec![Argument::Builder, Argument::Tensor(x), Argument::Key(key), Argument::Bias(bias)];
        Ok(self.emit("linear", vec![rows, inputs, width], arguments, Shape::Tokens { rows, columns: width }))
    }

    /// 3x3 convolution with padding 1; parameters KEY.weight `[outputs, channels, 3, 3]`, KEY.bias `[outputs]`.
    pub(super) fn conv3x3(&mut self, operands: &Operands) -> Result<Value, Fault> {
        let (x, [channels, height, width]) = operands.image(0)?;
        let outputs = if operands.plain.len() > 1 { operands.size(1, "the number of channels")?.0 } else { channels };
        let key = self.key(operands.call)?;
        self.own(operands.call, format!("{key}.weight"), vec![outputs, channels, 3, 3]);
        self.own(operands.call, format!("{key}.bias"), vec![outputs]);
        let sizes = vec![channels, height, width, height + 2, width + 2, height * width, 9 * channels, outputs];
        let arguments = vec![Argument::Builder, Argument::Tensor(x), Argument::Key(key)];
        Ok(self.emit("conv3x3", sizes, arguments, Shape::Image { channels: outputs, height, width }))
    }

    /// Layer norm over the columns; with `affine` parameters KEY.weight and KEY.bias `[columns]`.
    pub(super) fn norm(&mut self, operands: &Operands) -> Result<Value, Fault> {
        let (x, rows, columns) = operands.tokens(0)?;
        let (eps, span) = operands.number("eps", 1e-5)?;
        if !(f64::from(f32::MIN_POSITIVE)..1.0).contains(&eps) {
            return fault(span, format!("eps cannot be {eps:?} -- use a small positive number, e.g. 1e-5"));
        }
        let affine = operands.flag("affine", true)?;
        let eps = Argument::Float((eps as f32).to_bits());
        let shape = Shape::Tokens { rows, columns };
        match (&operands.call.key, affine) {
            (Some(_), true) => {
                let key = self.key(operands.call)?;
                self.own(operands.call, format!("{key}.weight"), vec![columns]);
                self.own(operands.call, format!("{key}.bias"), vec![columns]);
                let arguments = vec![Argument::Builder, Argument::Tensor(x), Argument::Key(key), eps];
                Ok(self.emit("norm_affine", vec![rows, columns], arguments, shape))
            }
            (None, false) => Ok(self.emit("norm", vec![rows, columns], vec![Argument::Tensor(x), eps], shape)),
            (None, true) => {
                fault(operands.call.name.span(), "`norm` has parameters but no checkpoint key -- add @ \"key\", or `affine = false`")
            }
            (Some(key), false) => fault(key.span, "this `norm` has no parameters -- remove the key, or `affine = false`"),
        }
    }

    /// The row of the label; parameter KEY.weight `[classes, width]`.
    pub(super) fn embedding(&mut self, operands: &Operands) -> Result<Value, Fault> {
        let (label, span) = operands.get(0)?;
        if label != Value::Label {
            return fault(span, format!("{} where the label belongs -- use the input `label`", label.kind()));
        }
        let (width, _) = operands.size(1, "the width")?;
        let Some(classes) = self.geometry.classes else { return Err(Fault::Known) };
        let classes = usize::try_from(classes).unwrap_or(LARGEST);
        let key = self.key(operands.call)?;
        self.own(operands.call, format!("{key}.weight"), vec![classes, width]);
        self.label_used = true;
        let arguments = vec![Argument::Builder, Argument::Key(key)];
        Ok(self.emit("embedding", vec![classes, width], arguments, Shape::Tokens { rows: 1, columns: width }))
    }

    /// A parameter of its own; `[1, rows, columns]`, `[rows, columns]` or `[columns]` in the checkpoint.
    pub(super) fn param(&mut self, operands: &Operands) -> Result<Value, Fault> {
        let (value, span) = operands.get(0)?;
        let Value::List(list) = value else {
            return fault(span, format!("{} where a shape belongs -- use brackets, e.g. param([1, rows(x), dim])", value.kind()));
        };
        let sizes: Option<Vec<usize>> =
            list.iter().map(|size| usize::try_from(*size).ok().filter(|size| (1..=LARGEST).contains(size))).collect();
        let Some(sizes) = sizes else {
            return fault(span, format!("a parameter cannot be {list:?} -- use sizes from 1 to {LARGEST}"));
        };
        let (rows, columns) = match sizes.as_slice() {
            [columns] => (1, *columns),
            [rows, columns] | [1, rows, columns] => (*rows, *columns),
            _ => return fault(span, format!("a parameter of shape {sizes:?} is no tokens -- use [1, rows, columns]")),
        };
        let key = self.key(operands.call)?;
        self.own(operands.call, key.clone(), sizes.clone());
        let arguments = vec![Argument::Key(key), Argument::Shape(sizes)];
        Ok(self.frame.emit(Callee::Method("param"), vec![rows, columns], arguments, Shape::Tokens { rows, columns }))
    }
}
