//! Between images and rows of patches.

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
    /// Calls `f(channel, image row, column in patches, row in patch)` for each run of P neighbours of one row of patches.
    fn runs(self, patch_row: usize, mut f: impl FnMut(usize, usize, usize, usize)) {
        for channel in 0..self.channels {
            for i in 0..self.patch {
                for patch_column in 0..self.width / self.patch {
                    f(channel, patch_row * self.patch + i, patch_column, i);
                }
            }
        }
    }
}

/// Patches as rows, channel slowest. `image` has one row per channel and line. Task: one row of patches of one image.
pub(in crate::cpu) fn patchify(grid: Grid, image: Rows, out: RowsMut, task: usize) {
    let (down, across) = (grid.height / grid.patch, grid.width / grid.patch);
    let (index, patch_row) = (task / down, task % down);
    grid.runs(patch_row, |channel, y, column, i| {
        let start = (channel * grid.patch + i) * grid.patch;
        // SAFETY: the launch resolved image and output to live, disjoint memory; each task has its own rows.
        let (from, to) = unsafe {
            let from = image.row((index * grid.channels + channel) * grid.height + y);
            (from, out.row((index * down + patch_row) * across + column, start, grid.patch))
        };
        to.copy_from_slice(&from[column * grid.patch..][..grid.patch]);
    });
}

/// An image of rows of patches, channel fastest. `out` has one row per channel and line. Task: one row of patches of one image.
pub(in crate::cpu) fn unpatchify(grid: Grid, x: Rows, out: RowsMut, task: usize) {
    let (down, across) = (grid.height / grid.patch, grid.width / grid.patch);
    let (index, patch_row) = (task / down, task % down);
    grid.runs(patch_row, |channel, y, column, i| {
        // SAFETY: the launch resolved both to live, disjoint memory; each task has its own lines.
        let (from, to) = unsafe {
            let to = out.row((index * grid.channels + channel) * grid.height + y, column * grid.patch, grid.patch);
            (x.row((index * down + patch_row) * across + column), to)
        };
        for (j, to) in to.iter_mut().enumerate() {
            *to = from[(i * grid.patch + j) * grid.channels + channel];
        }
    });
}
