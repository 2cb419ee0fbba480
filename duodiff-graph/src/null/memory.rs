//! Who wrote each stretch of an arena last.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::program::ValueId;

/// Stretches by their start; they do not overlap.
#[derive(Default)]
pub(super) struct Memory {
    stretches: BTreeMap<usize, (usize, ValueId)>,
}

impl Memory {
    /// Writes a value over whatever lay there.
    pub fn write(&mut self, range: Range<usize>, id: ValueId) {
        let overlapping: Vec<_> = self
            .stretches
            .range(..range.end)
            .filter(|(_, (end, _))| *end > range.start)
            .map(|(start, (end, owner))| (*start, *end, *owner))
            .collect();
        for (start, end, owner) in overlapping {
            self.stretches.remove(&start);
            if start < range.start {
                self.stretches.insert(start, (range.start, owner));
            }
            if end > range.end {
                self.stretches.insert(range.end, (end, owner));
            }
        }
        self.stretches.insert(range.start, (range.end, id));
    }

    /// If some of a range does not belong to `id`: whose it is (None within: nobody's).
    pub fn find_other(&self, range: Range<usize>, id: ValueId) -> Option<Option<ValueId>> {
        let mut at = range.start;
        for (start, (end, owner)) in self.stretches.range(..range.end).filter(|(_, (end, _))| *end > range.start) {
            if *start > at {
                return Some(None);
            }
            if *owner != id {
                return Some(Some(*owner));
            }
            at = *end;
        }
        (at < range.end).then_some(None)
    }
}

#[cfg(test)]
mod tests {
    use super::Memory;
    use crate::program::ValueId;

    #[test]
    fn the_last_writer_owns_a_stretch() {
        let [a, b] = [0, 1].map(ValueId::new);
        let mut memory = Memory::default();
        assert_eq!(memory.find_other(0..4, a), Some(None));
        memory.write(0..10, a);
        assert_eq!(memory.find_other(0..10, a), None);
        memory.write(4..6, b);
        assert_eq!(memory.find_other(0..4, a), None);
        assert_eq!(memory.find_other(6..10, a), None);
        assert_eq!(memory.find_other(3..5, a), Some(Some(b)));
        assert_eq!(memory.find_other(5..6, b), None);
        assert_eq!(memory.find_other(8..12, a), Some(None));
    }
}
