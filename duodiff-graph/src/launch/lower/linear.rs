//! Products.

use super::{Address, Argument, LaunchError, Lowering, Module, Region, Window, count};
use crate::launch::folds::{ENTRY, Folded, FoldedPart, PART, key};
use crate::launch::products::Product;
use crate::launch::warpgroups::{self, Choice};
use crate::program::{Linear, Operand, RowNorm, ValueId};

impl Lowering<'_> {
    pub(super) fn linear(&mut self, op: &Linear) -> Result<(), LaunchError> {
        let mut sources = op.sources.iter().map(|source| self.window(source));
        let first = sources.next().expect("invariant: a linear has a source")?;
        let second = sources.next().transpose()?.unwrap_or(Window::ABSENT);
        let residual = op.residual.as_ref().map_or(Ok(Window::ABSENT), |residual| self.window(residual))?;
        let [n, k] = self.device.program.whole(op.weight).shape();
        let (m, n, k) = (self.total(op.out)?, count("columns", n)?, count("columns", k)?);
        let product = Product { m, n, k, sources: [&first, &second], activation: op.activation };
        if let Some(choice) = warpgroups::choose(product, self.device.precision, self.gpu)? {
            return self.on_warpgroups(op, product, choice, residual);
        }
        let (kernel, shape) = product.choose(self.device.precision, self.gpu)?;
        let (weight, bias) = match &op.norm {
            None => (self.param(op.weight, self.element(op.out))?, self.option(op.bias)?),
            Some(norm) => {
                let [weight, bias] = [FoldedPart::Weight, FoldedPart::Bias].map(|part| self.folded(op, norm, part));
                let is_there = op.bias.is_some() || norm.shift.is_some();
                (weight?, if is_there { bias? } else { Argument::Pointer(None) })
            }
        };
        let [first, second, residual] = [first, second, residual].map(Argument::Window);
        let mut arguments = vec![first, second, weight, bias, residual, self.out(op.out)];
        arguments.extend([m, n, k].map(Argument::U32));
        arguments.push(self.step());
        match kernel.module {
            Module::LinearMma(..) => arguments.extend(self.norms(op)?),
            _ if op.norm.is_some() || self.device.summed.contains(&op.out) => return Err(self.unsupported(op.out, "a folded norm")),
            _ => {}
        }
        self.push(kernel, shape, arguments);
        Ok(())
    }

    /// The statistics of the source, sums and eps of the norm that is folded; where statistics of the output go.
    fn norms(&self, op: &Linear) -> Result<[Argument; 4], LaunchError> {
        let summary = self.device.summed.contains(&op.out).then(|| self.statistics_of(op.out));
        let [statistics, sums, eps] = match &op.norm {
            None => [Argument::Window(Window::ABSENT), Argument::Pointer(None), Argument::F32(0.0)],
            Some(norm) => {
                let statistics = self.statistics(&op.sources[0])?;
                [Argument::Window(statistics), self.folded(op, norm, FoldedPart::Sums)?, Argument::F32(norm.eps)]
            }
        };
        Ok([statistics, sums, eps, Argument::Pointer(summary)])
    }

    /// Where the statistics of a value start: behind its last row.
    fn statistics_of(&self, id: ValueId) -> Address {
        let own = self.device.own_bytes(self.device.program.value(id)) * self.images(id);
        self.locate(id).plus(own as u64)
    }

    /// The statistics of an operand's rows, counted in entries.
    pub(super) fn statistics(&self, operand: &Operand) -> Result<Window, LaunchError> {
        let (image, _) = self.strides(operand.value);
        let parts = operand.columns.len() / PART;
        let before = operand.rows.start * parts * ENTRY;
        Ok(Window {
            base: Some(self.statistics_of(operand.value).plus(before as u64)),
            image: (image / PART) as u64,
            stride: count("elements of a row", parts)?,
            rows: count("tokens", operand.rows.len())?,
            columns: count("elements of a row", parts)?,
            step: 0,
        })
    }

    fn folded(&self, op: &Linear, norm: &RowNorm, part: FoldedPart) -> Result<Argument, LaunchError> {
        let key = |id| key(&self.device.program, id);
        let weight = key(op.weight).ok_or_else(|| self.unsupported(op.out, "a parameter that is computed"))?;
        let [gain, shift, bias] = [norm.gain, norm.shift, op.bias].map(|id| id.and_then(key));
        Ok(Argument::region(Region::Folded(Folded { part, weight, gain, shift, bias })))
    }

    fn on_warpgroups(&mut self, op: &Linear, product: Product, choice: Choice, residual: Window) -> Result<(), LaunchError> {
        let operands = choice.operands(product, self.param_address(op.weight, self.element(op.out))?);
        let rows = [&operands[0], &operands[1]].map(|operand| if let Argument::Tensor(tensor) = operand { tensor.rows() } else { 0 });
        let columns = product.sources.map(|source| source.columns);
        let mut arguments = Vec::from(operands);
        arguments.extend([self.option(op.bias)?, Argument::Window(residual), self.out(op.out)]);
        arguments.extend([product.m, product.n].into_iter().chain(columns).chain(rows).map(Argument::U32));
        arguments.push(self.step());
        self.push(choice.kernel, choice.shape, arguments);
        Ok(())
    }
}
