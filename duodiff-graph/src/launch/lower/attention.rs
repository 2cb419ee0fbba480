//! Attention.

use super::{Argument, LaunchError, Lowering, count};
use crate::launch::products::{Heads, WIDEST};
use crate::program::Attention;

impl Lowering<'_> {
    pub(super) fn attention(&mut self, op: &Attention) -> Result<(), LaunchError> {
        let [q, k, v] = [self.window(&op.q)?, self.window(&op.k)?, self.window(&op.v)?];
        let heads = count("heads", op.heads)?;
        let width = q.columns / heads;
        if width > WIDEST {
            return Err(self.unsupported(op.out, "heads of more than 256 columns"));
        }
        let images = count("images", self.images(op.out))?;
        let (kernel, shape) = Heads { images, heads, width, windows: [&q, &k, &v] }.choose(self.device.precision, self.gpu)?;
        let mut arguments: Vec<_> = [q, k, v].map(Argument::Window).into();
        arguments.extend([heads, width].map(Argument::U32));
        arguments.extend([Argument::F32(op.scale), self.out(op.out), Argument::U32(images), self.step()]);
        self.push(kernel, shape, arguments);
        Ok(())
    }
}
