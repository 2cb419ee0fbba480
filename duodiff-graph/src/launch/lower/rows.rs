//! Operators that work row by row.

use super::{Argument, Kernel, LaunchError, Lowering, Module, Window, count, entry};
use crate::program::{Activate, Activation, Affine, Binary, BinaryFn, Embedding, Join, JoinAxis, Norm, Operand, Softmax, ValueId};

impl Lowering<'_> {
    /// A kernel of the tokens' module of a value's type.
    pub(super) fn tokens(&self, name: &str, out: ValueId) -> Kernel {
        let element = self.element(out);
        Kernel::new(Module::Tokens(element), format!("{name}_{element}"))
    }

    pub(super) fn norm(&mut self, op: &Norm) -> Result<(), LaunchError> {
        let (x, total) = (self.window(&op.x)?, self.total(op.out)?);
        let shape = entry::warps(total)?;
        let (gain, shift) = (self.option(op.norm.gain)?, self.option(op.norm.shift)?);
        let [x, none] = [x, Window::ABSENT].map(Argument::Window);
        let arguments = vec![x, none, gain, shift, Argument::F32(op.norm.eps), self.out(op.out), Argument::U32(total), self.step()];
        self.push(self.tokens("norm", op.out), shape, arguments);
        Ok(())
    }

    pub(super) fn softmax(&mut self, op: &Softmax) -> Result<(), LaunchError> {
        let (x, total) = (self.window(&op.x)?, self.total(op.out)?);
        let shape = entry::warps(total)?;
        let arguments = vec![Argument::Window(x), self.out(op.out), Argument::U32(total), self.step()];
        self.push(self.tokens("softmax", op.out), shape, arguments);
        Ok(())
    }

    pub(super) fn activate(&mut self, op: &Activate) -> Result<(), LaunchError> {
        let f = match op.f {
            Activation::Gelu => 0,
            Activation::GeluTanh => 1,
            Activation::Silu => 2,
        };
        self.pointwise("activate", &op.x, vec![Argument::U32(f)], op.out)
    }

    pub(super) fn affine(&mut self, op: &Affine) -> Result<(), LaunchError> {
        self.pointwise("affine", &op.x, vec![Argument::F32(op.scale), Argument::F32(op.offset)], op.out)
    }

    pub(super) fn binary(&mut self, op: &Binary) -> Result<(), LaunchError> {
        let mut b = self.window(&op.b)?;
        if b.rows == 1 {
            // One row goes with each of a's.
            (b.stride, b.rows) = (0, count("tokens", op.a.rows.len())?);
        }
        let f = match op.f {
            BinaryFn::Add => 0,
            BinaryFn::Mul => 1,
        };
        self.pointwise("binary", &op.a, vec![Argument::Window(b), Argument::U32(f)], op.out)
    }

    /// `out = f(x, more…)`, element by element.
    fn pointwise(&mut self, name: &str, x: &Operand, more: Vec<Argument>, out: ValueId) -> Result<(), LaunchError> {
        let (x, total) = (self.window(x)?, self.total(out)?);
        let shape = entry::chunks(total.into(), x.columns.into(), self.element(out))?;
        let mut arguments = vec![Argument::Window(x)];
        arguments.extend(more);
        arguments.extend([self.out(out), Argument::U32(total), self.step()]);
        self.push(self.tokens(name, out), shape, arguments);
        Ok(())
    }

    pub(super) fn join(&mut self, op: &Join) -> Result<(), LaunchError> {
        let mut at = [0, 0];
        let axis = match op.axis {
            JoinAxis::Rows => 0,
            JoinAxis::Columns => 1,
        };
        for part in &op.parts {
            self.copy(part, op.out, at)?;
            at[axis] += part.shape()[axis];
        }
        Ok(())
    }

    /// Copies rows to row and column `at` of a value.
    pub(super) fn copy(&mut self, x: &Operand, out: ValueId, at: [usize; 2]) -> Result<(), LaunchError> {
        let x = self.window(x)?;
        let [rows, columns] = self.device.program.whole(out).shape();
        let total = count("tokens", self.images(out) * x.rows as usize)?;
        let shape = entry::chunks(total.into(), x.columns.into(), self.element(out))?;
        let mut arguments = vec![Argument::Window(x), self.out(out)];
        for (what, number) in [("elements of a row", columns), ("tokens", rows), ("tokens", at[0]), ("elements of a row", at[1])] {
            arguments.push(Argument::U32(count(what, number)?));
        }
        arguments.extend([Argument::U32(total), self.step()]);
        self.push(self.tokens("copy", out), shape, arguments);
        Ok(())
    }

    pub(super) fn embedding(&mut self, op: &Embedding) -> Result<(), LaunchError> {
        let element = self.element(op.out);
        let columns = count("elements of a row", self.device.program.value(op.out).elements())?;
        let images = self.total(op.out)?;
        let (table, labels) = (self.param(op.table, element)?, Argument::pointer(self.locate(op.label)));
        let arguments = vec![table, labels, self.out(op.out), Argument::U32(columns), Argument::U32(images)];
        self.push(self.tokens("embed", op.out), entry::chunks(images.into(), columns.into(), element)?, arguments);
        Ok(())
    }
}
