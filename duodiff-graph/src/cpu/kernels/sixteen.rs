//! Sixteen rows, read column by column.

use crate::cpu::simd::{LANES, Simd};

/// Rows of equal length; where they are fewer, others stand for those that are missing.
pub(super) struct Sixteen<'a> {
    rows: [&'a [f32]; LANES],
    columns: usize,
}

impl<'a> Sixteen<'a> {
    /// The first sixteen of `rows`; the last one again, where they are fewer.
    #[inline(always)]
    pub fn new(rows: impl IntoIterator<Item = &'a [f32]>) -> Self {
        let (mut given, mut last) = (rows.into_iter(), &[][..]);
        let mut rows = [last; LANES];
        for row in &mut rows {
            last = given.next().unwrap_or(last);
            *row = last;
        }
        Self { rows, columns: rows.iter().map(|row| row.len()).min().unwrap_or(0) }
    }

    /// Columns `start..start + 16`, a lane for each row, of which the first `lanes` are wanted; zeros past the last column.
    #[inline(always)]
    pub fn columns<S: Simd>(&self, s: S, start: usize, lanes: usize) -> [S::V; LANES] {
        if start + LANES <= self.columns {
            let mut rows = [std::ptr::null(); LANES];
            for (pointer, row) in rows.iter_mut().zip(self.rows) {
                *pointer = row.as_ptr().wrapping_add(start);
            }
            // SAFETY: no row is shorter.
            return unsafe { s.load_columns(rows, lanes) };
        }
        let (mut lines, mut rows) = ([[0.0; LANES]; LANES], [std::ptr::null(); LANES]);
        for ((line, row), pointer) in lines.iter_mut().zip(self.rows).zip(&mut rows) {
            line[..self.columns - start].copy_from_slice(&row[start..self.columns]);
            *pointer = line.as_ptr();
        }
        // SAFETY: the arrays hold 16 floats each.
        unsafe { s.load_columns(rows, lanes) }
    }
}
