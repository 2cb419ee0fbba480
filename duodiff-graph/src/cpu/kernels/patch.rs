//! Between images and rows of patches: read as the other without a copy, or copied.

use std::ops::Range;

use crate::cpu::rows::{Rows, RowsMut};

/// An image `[C, H, W]` cut into patches of P × P.
#[derive(Clone, Copy)]
pub(in crate::cpu) struct Grid {
    /// C.
    pub channels: usize,
    /// H.
    pub height: usize,
    /// W.
    pub width: usize,
    /// P.
    pub patch: usize,
}

impl Grid {
    /// Patches above each other.
    pub fn down(self) -> usize {
        self.height / self.patch
    }

    /// Patches beside each other.
    fn across(self) -> usize {
        self.width / self.patch
    }

    /// Floats of a patch: C·P·P.
    pub fn elements(self) -> usize {
        self.channels * self.patch * self.patch
    }
}

/// Images read as rows of patches, channel slowest.
#[derive(Clone, Copy)]
pub(in crate::cpu) struct Patches {
    /// One row per channel and line.
    pub image: Rows,
    pub grid: Grid,
}

impl Patches {
    /// Copies some columns of patch `index`, counted over all images.
    pub fn copy(self, index: usize, columns: Range<usize>, to: &mut [f32]) {
        let Self { grid, image } = self;
        let (down, across, patch) = (grid.down(), grid.across(), grid.patch);
        let (index, row, column) = (index / (down * across), index / across % down, index % across);
        let (mut at, mut left) = (columns.start, to);
        while !left.is_empty() {
            let (channel, i, j) = (at / (patch * patch), at / patch % patch, at % patch);
            let (to, rest) = left.split_at_mut((patch - j).min(left.len()));
            // SAFETY: the launch resolved the image to live memory that is not written meanwhile.
            let line = unsafe { image.row((index * grid.channels + channel) * grid.height + row * patch + i) };
            // Two or four floats: a call would take longer.
            to.iter_mut().zip(&line[column * patch + j..]).for_each(|(to, from)| *to = *from);
            (at, left) = (at + to.len(), rest);
        }
    }
}

/// Rows of patches, channel fastest, read as images.
#[derive(Clone, Copy)]
pub(in crate::cpu) struct Pixels {
    /// One row per patch.
    pub x: Rows,
    pub grid: Grid,
}

impl Pixels {
    /// Copies line `y` of a channel of image `index`.
    pub fn copy(self, index: usize, channel: usize, y: usize, to: &mut [f32]) {
        let Self { grid, x } = self;
        let (channels, patch) = (grid.channels, grid.patch);
        let first = (index * grid.down() + y / patch) * grid.across();
        // SAFETY: the launch resolved the rows to live memory that is not written meanwhile.
        let rows = unsafe { x.run(first, grid.across()) };
        for (to, from) in to.chunks_exact_mut(patch).zip(rows) {
            let from = from[y % patch * patch * channels + channel..].iter().step_by(channels);
            to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
        }
    }
}

/// Patches as rows. Task: one row of patches of one image.
pub(in crate::cpu) fn patchify(patches: Patches, out: RowsMut, task: usize) {
    let across = patches.grid.across();
    for row in task * across..(task + 1) * across {
        let elements = patches.grid.elements();
        // SAFETY: the launch resolved the output to live memory apart from the image; each task has its own rows.
        patches.copy(row, 0..elements, unsafe { out.row(row, 0, elements) });
    }
}

/// An image of rows of patches. `out` has one row per channel and line. Task: one row of patches of one image.
pub(in crate::cpu) fn unpatchify(pixels: Pixels, out: RowsMut, task: usize) {
    let Grid { channels, height, width, patch } = pixels.grid;
    let (index, row) = (task / pixels.grid.down(), task % pixels.grid.down());
    for channel in 0..channels {
        for y in row * patch..(row + 1) * patch {
            // SAFETY: the launch resolved the output to live memory apart from the rows; each task has its own lines.
            pixels.copy(index, channel, y, unsafe { out.row((index * channels + channel) * height + y, 0, width) });
        }
    }
}
