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

/// Two panels that the groups of a task bring near, each a share.
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
    /// What one group after the other brings, a step for each k of each of its tiles: a quarter of a panel where groups are many, a whole one
    /// where they are few; the last groups nothing, where there are more than shares.
    pub fn shares<S: Simd>(self) -> impl Iterator<Item = Hint> {
        let shares = match self.groups {
            0..4 => 1,
            4..8 => 2,
            _ => 4,
        };
        let (tiles, length) = (2 / S::PANELS, LANES / shares);
        let share = move |share: usize| {
            let (panel, part) = (share / shares, share % shares);
            Hint { first: self.first.wrapping_add(panel * self.panel + part * length * self.k), step: length / tiles }
        };
        let nothing = Hint { first: self.first, step: 0 };
        (0..2 * shares).map(share).chain(std::iter::repeat(nothing))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::cpu::Isa;
    use crate::cpu::simd::Kernel;

    /// Lines of two panels that the groups' shares bring, as (panel, k); [`LANES`] floats are a line.
    struct Brought {
        groups: usize,
        k: usize,
        lines: BTreeSet<(usize, usize)>,
    }

    impl Kernel for &mut Brought {
        fn run<S: Simd>(self, _: S) {
            let panel = 3 * self.k * LANES;
            let ahead = Ahead { first: std::ptr::null(), panel, k: self.k, groups: self.groups };
            for share in ahead.shares::<S>().take(self.groups) {
                for step in 0..self.k * (2 / S::PANELS) {
                    let float = share.at(step).addr() / size_of::<f32>();
                    self.lines.insert((float / panel, float % panel / LANES));
                }
            }
        }
    }

    #[test]
    fn groups_bring_both_panels() {
        for isa in Isa::available() {
            for groups in 2..20 {
                let mut brought = Brought { groups, k: 48, lines: BTreeSet::new() };
                isa.run(&mut brought);
                assert_eq!(brought.lines.len(), 2 * 48, "{isa:?}, {groups} groups");
                assert!(brought.lines.iter().all(|&(panel, k)| panel < 2 && k < 48), "{isa:?}, {groups} groups");
            }
        }
    }
}
