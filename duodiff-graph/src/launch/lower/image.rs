//! Operators on images.

use super::{Argument, Kernel, LaunchError, Lowering, Module, count, entry};
use crate::program::{Conv3x3, Patchify, Unpatchify, ValueId};

impl Lowering<'_> {
    /// Channels, height and width of an image, as kernels take them, and elements of all its images.
    fn image(&self, id: ValueId) -> Result<([Argument; 3], u64), LaunchError> {
        let value = self.device.program.value(id);
        let [channels, height, width] = value.shape[..] else { panic!("invariant: {id} is an image") };
        // An image's own elements are counted in 32 bits.
        count("elements of an image", value.elements())?;
        let sizes = [count("channels", channels)?, count("lines", height)?, count("columns", width)?];
        Ok((sizes.map(Argument::U32), (value.elements() * self.images(id)) as u64))
    }

    fn image_count(&self, id: ValueId) -> Result<Argument, LaunchError> {
        count("images", self.images(id)).map(Argument::U32)
    }

    pub(super) fn patchify(&mut self, op: &Patchify) -> Result<(), LaunchError> {
        self.check_images(op.image, op.out)?;
        let (sizes, elements) = self.image(op.image)?;
        let mut arguments = vec![Argument::pointer(self.locate(op.image))];
        arguments.extend(sizes);
        arguments.extend([Argument::U32(count("columns", op.patch)?), self.out(op.out), self.image_count(op.out)?]);
        self.push(self.tokens("patchify", op.out), entry::threads(elements)?, arguments);
        Ok(())
    }

    pub(super) fn unpatchify(&mut self, op: &Unpatchify) -> Result<(), LaunchError> {
        let (sizes, elements) = self.image(op.out)?;
        let mut arguments = vec![Argument::Window(self.window(&op.x)?)];
        arguments.extend(sizes);
        arguments.extend([Argument::U32(count("columns", op.patch)?), self.out(op.out), self.image_count(op.out)?, self.step()]);
        self.push(self.tokens("unpatchify", op.x.value), entry::threads(elements)?, arguments);
        Ok(())
    }

    pub(super) fn conv3x3(&mut self, op: &Conv3x3) -> Result<(), LaunchError> {
        self.check_images(op.x, op.out)?;
        let (sizes, _) = self.image(op.x)?;
        let (_, elements) = self.image(op.out)?;
        let outputs = count("channels", self.device.program.value(op.out).shape[0])?;
        let mut arguments = vec![Argument::pointer(self.locate(op.x)), self.option(Some(op.weight))?, self.option(Some(op.bias))?];
        arguments.extend(sizes);
        arguments.extend([Argument::U32(outputs), self.out(op.out), self.image_count(op.out)?]);
        self.push(Kernel::new(Module::Image, "conv3x3"), entry::threads(elements)?, arguments);
        Ok(())
    }

    /// Whole images are read one after the other: there must be as many as are written.
    fn check_images(&self, image: ValueId, out: ValueId) -> Result<(), LaunchError> {
        let is_batched = |id| self.device.program.value(id).is_batched();
        if is_batched(image) == is_batched(out) { Ok(()) } else { Err(self.unsupported(out, "one image for all where each wants its own")) }
    }
}
