//! 3×3 convolution with padding 1: each element one chain over (input channel, kernel row, kernel column), then the bias.

use crate::cpu::rows::{Rows, RowsMut, Scratch};
use crate::cpu::simd::{Kernel, LANES, Simd};

/// `[C, H, W]` → `[O, H, W]`; both sides have one row per channel and line.
#[derive(Clone, Copy)]
pub(in crate::cpu) struct Conv<'a> {
    /// C · H lines per image.
    pub x: Rows,
    /// C.
    pub channels: usize,
    /// H.
    pub height: usize,
    /// `[O, C, 3, 3]`.
    pub weight: &'a [f32],
    /// `[O]`.
    pub bias: &'a [f32],
    /// O · H lines per image.
    pub out: RowsMut,
}

/// Floats of a line of `width` with a zero before, and after it zeros up to a whole vector past the end.
fn padded(width: usize) -> usize {
    width.next_multiple_of(LANES) + LANES
}

/// Scratch floats of one worker.
pub(in crate::cpu) fn scratch(channels: usize, width: usize) -> usize {
    3 * channels * padded(width)
}

/// One line of one image, all output channels.
pub(in crate::cpu) struct Task<'a> {
    pub conv: Conv<'a>,
    pub index: usize,
    pub scratch: Scratch,
    pub worker: usize,
}

impl Kernel for Task<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let conv = self.conv;
        let (image, y) = (self.index / conv.height, self.index % conv.height);
        let (width, line) = (conv.x.columns, padded(conv.x.columns));
        // SAFETY: the launch sized the scratch by `scratch`; the worker runs one task at a time.
        let lines = &mut unsafe { self.scratch.of(self.worker) }[..3 * conv.channels * line];
        conv.gather(image, y, lines, line);
        for (channel, (weight, bias)) in conv.weight.chunks_exact(9 * conv.channels).zip(conv.bias).enumerate() {
            let row = (image * conv.bias.len() + channel) * conv.height + y;
            // SAFETY: the launch resolved the output to live memory; each task has its own lines.
            let out = unsafe { conv.out.row(row, 0, width) };
            for (i, out) in out.chunks_mut(LANES).enumerate() {
                let mut sum = s.splat(0.0);
                for (at, weight) in weight.iter().enumerate() {
                    let start = at / 3 * line + i * LANES + at % 3;
                    sum = s.fma(s.splat(*weight), s.read(&lines[start..]), sum);
                }
                s.write(out, s.add(sum, s.splat(*bias)));
            }
        }
    }
}

impl Conv<'_> {
    /// The three lines around `y` of each channel, zeros around them.
    #[inline(always)]
    fn gather(&self, image: usize, y: usize, lines: &mut [f32], line: usize) {
        lines.fill(0.0);
        for (at, to) in lines.chunks_exact_mut(line).enumerate() {
            let (channel, row) = (at / 3, y + at % 3);
            if (1..=self.height).contains(&row) {
                // SAFETY: the launch resolved the input to live memory.
                let from = unsafe { self.x.row((image * self.channels + channel) * self.height + row - 1) };
                to[1..=from.len()].copy_from_slice(from);
            }
        }
    }
}
