//! Rows that only move: windows copied out, tokens joined, rows of an embedding looked up.

use crate::cpu::rows::{Rows, RowsMut};

/// Copies a window to its place in the output of a slice or join.
#[derive(Clone, Copy)]
pub(in crate::cpu) struct Copy {
    /// What is copied.
    pub x: Rows,
    /// Rows per image of the output.
    pub rows: usize,
    /// First row of the window in the output of each image.
    pub row: usize,
    /// First column of the window in the output.
    pub column: usize,
    /// The whole output.
    pub out: RowsMut,
}

impl Copy {
    /// Copies rows `first..last` of the window, counted over all images.
    pub fn run(&self, first: usize, last: usize) {
        for index in first..last {
            let target = index / self.x.rows * self.rows + self.row + index % self.x.rows;
            // SAFETY: the launch resolved both windows to live, disjoint memory; each task has its own rows.
            let (x, out) = unsafe { (self.x.row(index), self.out.row(target, self.column, self.x.columns)) };
            out.copy_from_slice(x);
        }
    }
}

/// Copies row `label` of a table `[classes, D]` for each image; labels are checked before.
pub(in crate::cpu) fn embed(table: &[f32], labels: &[u32], out: RowsMut) {
    for (index, &label) in labels.iter().enumerate() {
        // SAFETY: the launch resolved the output to live memory of one row per image.
        let out = unsafe { out.row(index, 0, out.stride) };
        out.copy_from_slice(&table[label as usize * out.len()..][..out.len()]);
    }
}
