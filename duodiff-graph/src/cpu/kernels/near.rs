//! What a product brings into the caches while it computes: the weights of the next one, and the rows that it will write.

use crate::cpu::rows::Hint;
use crate::cpu::simd::{LANES, Simd};

/// Floats of a value whose rows are worth bringing near: one that has left a core's own caches when it is needed.
pub(in crate::cpu) const FAR: usize = 128 << 10;

/// Rows of up to 32 floats that are needed after a product: each of its first k brings one into the first-level cache.
#[derive(Clone, Copy)]
pub(in crate::cpu) struct Near {
    /// To be written.
    pub written: Option<Hint>,
    /// To be read.
    pub read: Option<Hint>,
}

impl Near {
    /// No rows.
    pub const NONE: Self = Self { written: None, read: None };

    /// Whether there is nothing to do.
    pub fn is_none(self) -> bool {
        self.written.is_none() && self.read.is_none()
    }

    /// The same without its first columns.
    pub fn from(self, column: usize) -> Self {
        let from = |hint: Hint| Hint { first: hint.first.wrapping_add(column), ..hint };
        Self { written: self.written.map(from), read: self.read.map(from) }
    }

    /// Brings `panels` lines of a row.
    #[inline(always)]
    pub fn bring<S: Simd>(self, s: S, row: usize, panels: usize) {
        for panel in 0..panels {
            if let Some(written) = self.written {
                s.prefetch_to_write(written.at(row).wrapping_add(panel * LANES));
            }
            if let Some(read) = self.read {
                s.prefetch(read.at(row).wrapping_add(panel * LANES));
            }
        }
    }
}

/// Two panels that the groups before them bring near, each a share.
pub(in crate::cpu) struct Ahead {
    /// First float of the first one.
    pub first: *const f32,
    /// Floats from one panel to the next.
    pub panel: usize,
    /// Rows of a panel.
    pub k: usize,
    /// How many groups there are.
    pub groups: usize,
}

impl Ahead {
    /// The share of a group, a step for each k: a quarter of a panel where groups are many, a whole one where they are few.
    pub fn of(&self, group: usize) -> Hint {
        let shares = match self.groups {
            0..4 => 1,
            4..8 => 2,
            _ => 4,
        };
        if group >= 2 * shares {
            return Hint { first: self.first, step: 0 };
        }
        let (start, step) = (group / shares * self.panel, LANES / shares);
        Hint { first: self.first.wrapping_add(start + group % shares * step * self.k), step }
    }
}
