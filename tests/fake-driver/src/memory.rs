//! The device's memory, and the host's that the device may use: every piece known, with a margin behind each that nobody may write.

use std::alloc::{Layout, alloc, dealloc};
use std::collections::BTreeMap;

use crate::code::{Code, ILLEGAL_ADDRESS, INVALID_VALUE, OUT_OF_MEMORY};

/// Alignment, as the driver's.
const LINE: usize = 256;

/// Bytes behind each piece.
const MARGIN: usize = 256;

/// What fresh memory and margins are full of: NaN in every floating-point type.
const FRESH: u8 = 0xFF;

/// Pieces by address.
#[derive(Default)]
pub struct Memory {
    pieces: BTreeMap<usize, usize>,
    live: usize,
    peak: usize,
}

fn layout(bytes: usize) -> Result<Layout, Code> {
    let whole = bytes.checked_add(MARGIN).ok_or(OUT_OF_MEMORY)?;
    Layout::from_size_align(whole, LINE).map_err(|_| OUT_OF_MEMORY)
}

impl Memory {
    /// A new piece; all of them have `most` bytes at most.
    pub fn allocate(&mut self, bytes: usize, most: usize) -> Result<usize, Code> {
        if bytes == 0 {
            return Err(INVALID_VALUE);
        }
        if bytes > most.saturating_sub(self.live) {
            return Err(OUT_OF_MEMORY);
        }
        let layout = layout(bytes)?;
        // SAFETY: the layout has bytes.
        let pointer = unsafe { alloc(layout) };
        if pointer.is_null() {
            return Err(OUT_OF_MEMORY);
        }
        // SAFETY: so many bytes were allocated.
        unsafe { pointer.write_bytes(FRESH, layout.size()) };
        self.pieces.insert(pointer as usize, bytes);
        self.live += bytes;
        self.peak = self.peak.max(self.live);
        Ok(pointer as usize)
    }

    /// Gives a piece back, whose margin must be as it was.
    pub fn free(&mut self, address: usize) -> Result<(), Code> {
        let bytes = self.pieces.remove(&address).ok_or(INVALID_VALUE)?;
        self.live -= bytes;
        let whole = is_whole(address, bytes);
        // SAFETY: allocated by `allocate` with this layout, and removed from the list of what may be used.
        unsafe { dealloc(address as *mut u8, layout(bytes)?) };
        if whole { Ok(()) } else { Err(ILLEGAL_ADDRESS) }
    }

    /// Refuses bytes that do not all lie in one piece.
    pub fn check(&self, address: usize, bytes: usize) -> Result<(), Code> {
        let end = address.checked_add(bytes).ok_or(ILLEGAL_ADDRESS)?;
        if self.contains(address) && end <= self.end(address) { Ok(()) } else { Err(ILLEGAL_ADDRESS) }
    }

    /// Whether an address lies in a piece, or right behind one.
    pub fn contains(&self, address: usize) -> bool {
        address <= self.end(address)
    }

    /// The end of the piece that starts last before an address; 0 if none does.
    fn end(&self, address: usize) -> usize {
        self.pieces.range(..=address).next_back().map_or(0, |(start, bytes)| start + bytes)
    }

    /// Whether nobody wrote behind a piece.
    pub fn is_whole(&self) -> bool {
        self.pieces.iter().all(|(address, bytes)| is_whole(*address, *bytes))
    }

    /// Writes a byte behind every piece.
    pub fn corrupt(&mut self) {
        for (address, bytes) in &self.pieces {
            // SAFETY: the first byte of the margin.
            unsafe { ((address + bytes) as *mut u8).write(0) };
        }
    }

    /// Pieces.
    pub fn count(&self) -> usize {
        self.pieces.len()
    }

    /// Bytes in use.
    pub fn live(&self) -> usize {
        self.live
    }

    /// The most that ever were, since `mark`.
    pub fn peak(&self) -> usize {
        self.peak
    }

    /// Counts the peak anew.
    pub fn mark(&mut self) {
        self.peak = self.live;
    }
}

fn is_whole(address: usize, bytes: usize) -> bool {
    // SAFETY: the margin lies behind the piece and was written when it was allocated.
    let margin = unsafe { std::slice::from_raw_parts((address + bytes) as *const u8, MARGIN) };
    margin.iter().all(|byte| *byte == FRESH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_checked() {
        let mut memory = Memory::default();
        let piece = memory.allocate(100, 150).unwrap();
        assert_eq!(memory.allocate(51, 150), Err(OUT_OF_MEMORY));
        assert_eq!((memory.check(piece, 100), memory.check(piece + 99, 1)), (Ok(()), Ok(())));
        assert_eq!((memory.check(piece + 1, 100), memory.check(piece - 1, 1)), (Err(ILLEGAL_ADDRESS), Err(ILLEGAL_ADDRESS)));
        // SAFETY: in the margin, which is allocated.
        unsafe { ((piece + 100) as *mut u8).write(0) };
        assert!(!memory.is_whole());
        assert_eq!((memory.free(piece), memory.free(piece)), (Err(ILLEGAL_ADDRESS), Err(INVALID_VALUE)));
        assert_eq!((memory.count(), memory.live(), memory.peak()), (0, 0, 100));
    }
}
