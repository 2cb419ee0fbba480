//! Products.

use super::{Argument, LaunchError, Lowering, Window, count};
use crate::launch::products::Product;
use crate::program::Linear;

impl Lowering<'_> {
    pub(super) fn linear(&mut self, op: &Linear) -> Result<(), LaunchError> {
        let mut sources = op.sources.iter().map(|source| self.window(source));
        let first = sources.next().expect("invariant: a linear has a source")?;
        let second = sources.next().transpose()?.unwrap_or(Window::ABSENT);
        let residual = op.residual.as_ref().map_or(Ok(Window::ABSENT), |residual| self.window(residual))?;
        let [n, k] = self.device.program.whole(op.weight).shape();
        let (m, n, k) = (self.total(op.out)?, count("columns", n)?, count("columns", k)?);
        let product = Product { m, n, k, sources: [&first, &second], activation: op.activation };
        let (kernel, shape) = product.choose(self.device.precision, self.gpu)?;
        let (weight, bias) = (self.param(op.weight, self.element(op.out))?, self.option(op.bias)?);
        let [first, second, residual] = [first, second, residual].map(Argument::Window);
        let mut arguments = vec![first, second, weight, bias, residual, self.out(op.out)];
        arguments.extend([m, n, k].map(Argument::U32));
        arguments.push(self.step());
        self.push(kernel, shape, arguments);
        Ok(())
    }
}
