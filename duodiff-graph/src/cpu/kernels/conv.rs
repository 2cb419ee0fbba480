//! 3×3 convolution with padding 1: each element one chain over (input channel, kernel row, kernel column), then the bias.

use super::patch::Pixels;
use crate::cpu::rows::{Rows, RowsMut, Scratch};
use crate::cpu::simd::{Kernel, LANES, Simd};

/// Most lines of a task, so that they stay in the first-level cache.
const LINES: usize = 16;

/// `[C, H, W]` → `[O, H, W]`; the output has one row per channel and line.
#[derive(Clone, Copy)]
pub(in crate::cpu) struct Conv<'a> {
    pub x: Image,
    /// C.
    pub channels: usize,
    /// H.
    pub height: usize,
    /// W.
    pub width: usize,
    /// `[O, C, 3, 3]`.
    pub weight: &'a [f32],
    /// `[O]`.
    pub bias: &'a [f32],
    /// O · H lines per image.
    pub out: RowsMut,
}

/// What is convolved.
#[derive(Clone, Copy)]
pub(in crate::cpu) enum Image {
    /// One row per channel and line.
    Lines(Rows),
    /// Rows of patches.
    Patches(Pixels),
}

/// Floats of a line of `width` with a zero before, and after it zeros up to a whole vector past the end.
fn padded(width: usize) -> usize {
    width.next_multiple_of(LANES) + LANES
}

/// Scratch floats of one worker.
pub(in crate::cpu) fn scratch(channels: usize, height: usize, width: usize) -> usize {
    channels * (LINES.min(height) + 2) * padded(width)
}

/// How many lines make a task: each thread has two tasks at least, and the lines around them are read as seldom as that allows.
pub(in crate::cpu) fn lines(images: usize, height: usize, threads: usize) -> usize {
    height.div_ceil((2 * threads).div_ceil(images)).min(LINES)
}

/// Some lines of one image, all output channels.
pub(in crate::cpu) struct Task<'a> {
    pub conv: Conv<'a>,
    /// As [`lines`] says.
    pub lines: usize,
    pub index: usize,
    pub scratch: Scratch,
    pub worker: usize,
}

impl Kernel for Task<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { conv, lines, index, .. } = self;
        let (blocks, line) = (conv.height.div_ceil(lines), padded(conv.width));
        let (image, first) = (index / blocks, index % blocks * lines);
        let count = lines.min(conv.height - first);
        let channel = (count + 2) * line;
        // SAFETY: the launch sized the scratch by `scratch`; the worker runs one task at a time.
        let x = &mut unsafe { self.scratch.of(self.worker) }[..conv.channels * channel];
        conv.gather(image, first, count, x);
        for (index, (weight, bias)) in conv.weight.chunks_exact(9 * conv.channels).zip(conv.bias).enumerate() {
            for y in 0..count {
                let row = (image * conv.bias.len() + index) * conv.height + first + y;
                // SAFETY: the launch resolved the output to live memory; each task has its own lines.
                let out = unsafe { conv.out.row(row, 0, conv.width) };
                for (i, out) in out.chunks_mut(LANES).enumerate() {
                    let mut sum = s.splat(0.0);
                    for (weight, x) in weight.chunks_exact(9).zip(x.chunks_exact(channel)) {
                        for (at, weight) in weight.iter().enumerate() {
                            let start = (y + at / 3) * line + i * LANES + at % 3;
                            sum = s.fma(s.splat(*weight), s.read(&x[start..]), sum);
                        }
                    }
                    s.write(out, s.add(sum, s.splat(*bias)));
                }
            }
        }
    }
}

impl Conv<'_> {
    /// Lines `first - 1..first + count + 1` of each channel, zeros around the image.
    #[inline(always)]
    fn gather(&self, image: usize, first: usize, count: usize, x: &mut [f32]) {
        x.fill(0.0);
        for (at, to) in x.chunks_exact_mut(padded(self.width)).enumerate() {
            let (channel, y) = (at / (count + 2), first + at % (count + 2));
            if !(1..=self.height).contains(&y) {
                continue;
            }
            let to = &mut to[1..=self.width];
            match self.x {
                // SAFETY: the launch resolved the input to live memory.
                Image::Lines(x) => to.copy_from_slice(unsafe { x.row((image * self.channels + channel) * self.height + y - 1) }),
                Image::Patches(pixels) => pixels.copy(image, channel, y - 1, to),
            }
        }
    }
}
