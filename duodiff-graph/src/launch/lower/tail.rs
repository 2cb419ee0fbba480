//! The end of a network in one kernel: layer norm, linear, unpatchify and, if there is one, the final convolution.
//!
//! The same launch, with more arguments, also updates the state: see [`finish`](super::super::finish).

use super::{Argument, DeviceProgram, Kernel, LaunchError, Lowering, Module, Region, Window, count, entry};
use crate::launch::Gpu;
use crate::program::{Conv3x3, Linear, Norm, Op, Operand, Program, RowNorm, Unpatchify};

/// Threads of a block.
const THREADS: u32 = 256;

/// Columns of the weight that a block has in shared memory, and bytes for each patch.
const SLICE: u32 = 128;
const NORMAL: u32 = 8;

/// Columns of a patch that a thread computes: many where patches are enough for all threads.
const EACH: [u32; 2] = [4, 16];

/// The last operators of a program.
#[derive(Clone, Copy)]
pub(super) struct Tail<'a> {
    x: &'a Operand,
    norm: &'a RowNorm,
    linear: &'a Linear,
    image: &'a Unpatchify,
    convolution: Option<&'a Conv3x3>,
    /// How many operators these are.
    pub ops: usize,
}

/// Sizes that the grid and shared memory follow from.
struct Sizes {
    channels: u32,
    height: u32,
    width: u32,
    patch: u32,
}

impl<'a> Tail<'a> {
    /// The tail of a program, if it ends so and a block of the GPU has room for a whole image.
    pub fn of(device: &'a DeviceProgram, gpu: Gpu) -> Option<Self> {
        let program = &device.program;
        let (convolution, before) = match &program.ops[..] {
            [before @ .., Op::Conv3x3(convolution)] => (Some(convolution), before),
            all => (None, all),
        };
        let [before @ .., Op::Linear(linear), Op::Unpatchify(image)] = before else { return None };
        let (x, norm) = match (&linear.norm, before) {
            (Some(norm), _) => (&linear.sources[0], norm),
            (None, [.., Op::Norm(Norm { x, norm, out })]) if linear.sources == [program.whole(*out)] => (x, norm),
            _ => return None,
        };
        let ops = 2 + usize::from(convolution.is_some()) + usize::from(linear.norm.is_none());
        let tail = Self { x, norm, linear, image, convolution, ops };
        (tail.is_one_kernel(program) && tail.shared(program) <= gpu.shared as usize).then_some(tail)
    }

    /// Whether each operator reads the whole of the one before, for each image, and nothing else.
    fn is_one_kernel(&self, program: &Program) -> bool {
        let Self { x, linear, image, convolution, .. } = *self;
        let last = convolution.map_or(image.out, |convolution| convolution.out);
        let whole = program.outputs == [last] && convolution.is_none_or(|convolution| convolution.x == image.out);
        let plain = linear.sources.len() == 1 && linear.activation.is_none() && linear.residual.is_none();
        let batched = [x.value, image.out, last].into_iter().all(|id| program.value(id).is_batched());
        let width = program.value(image.out).shape[2];
        whole && plain && batched && image.x == program.whole(linear.out) && width.is_multiple_of(4)
    }

    fn sizes(&self, program: &Program) -> Option<Sizes> {
        let size = |what: usize| u32::try_from(what).ok();
        let [channels, height, width] = program.value(self.image.out).shape[..] else { return None };
        Some(Sizes { channels: size(channels)?, height: size(height)?, width: size(width)?, patch: size(self.image.patch)? })
    }

    /// Bytes of shared memory of a block that makes a whole image.
    fn shared(&self, program: &Program) -> usize {
        self.sizes(program).map_or(usize::MAX, |sizes| sizes.shared(sizes.height / sizes.patch) as usize)
    }
}

impl Sizes {
    fn columns(&self) -> u32 {
        self.channels * self.patch * self.patch
    }

    /// Bytes of shared memory for so many lines of patches.
    fn shared(&self, lines: u32) -> u32 {
        let floats = self.columns() * SLICE + self.channels * lines * self.patch * self.width;
        floats * size_of::<f32>() as u32 + lines * (self.width / self.patch) * NORMAL
    }
}

impl Lowering<'_> {
    pub(super) fn tail(&mut self, tail: &Tail) -> Result<(), LaunchError> {
        let Tail { x, norm, linear, convolution, .. } = *tail;
        let last = convolution.map_or(tail.image.out, |convolution| convolution.out);
        let sizes = tail.sizes(&self.device.program).ok_or_else(|| self.unsupported(last, "an image of that size"))?;
        let images = count("images", self.images(last))?;
        let high = sizes.height / sizes.patch;
        // As many blocks as there are processors, where there are few images.
        let lines = high.div_ceil((self.gpu.processors / images.max(1)).clamp(1, high));
        let made = high.min(lines + 2 * u32::from(convolution.is_some()));
        let each = EACH[usize::from(made * (sizes.width / sizes.patch) >= THREADS)];
        let element = self.element(x.value);
        let kernel = Kernel::new(Module::Tail(element), format!("tail_{element}_{each}"));
        let shape = entry::Shape::new([high.div_ceil(lines).into(), images.into(), 1], THREADS, sizes.shared(made))?;

        let statistics = if linear.norm.is_some() { self.statistics(x)? } else { Window::ABSENT };
        let outputs = count("channels", self.device.program.value(last).shape[0])?;
        let mut arguments = vec![Argument::Window(self.window(x)?), Argument::Window(statistics)];
        arguments.extend([self.option(norm.gain)?, self.option(norm.shift)?, Argument::F32(norm.eps)]);
        arguments.extend([self.param(linear.weight, element)?, self.option(linear.bias)?]);
        arguments.extend([sizes.channels, sizes.height, sizes.width, sizes.patch].map(Argument::U32));
        arguments.push(self.option(convolution.map(|convolution| convolution.weight))?);
        arguments.push(self.option(convolution.map(|convolution| convolution.bias))?);
        arguments.extend([outputs, lines].map(Argument::U32));
        arguments.extend([Argument::region(Region::Output), Argument::U32(images), self.step()]);
        // No update: the output is written.
        arguments.extend([const { Argument::Pointer(None) }; 5]);
        arguments.extend([0, 0].map(Argument::U32));
        self.push(kernel, shape, arguments);
        Ok(())
    }
}
