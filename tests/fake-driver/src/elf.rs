//! The little of an ELF file that the driver needs: how long it is, which machine it is for, which functions it has.

use std::ops::Range;

/// The machine number of cubins.
pub const CUBIN: u16 = 190;

/// The machine number of this host's objects, where there is an emulator for it.
pub const HOST: u16 = if cfg!(target_arch = "aarch64") { 183 } else { 62 };

const HEADER: usize = 64;
const SECTION: usize = 64;
/// A section without bytes in the file.
const NOBITS: u32 = 8;

/// An ELF file of 64 bits, little endian.
pub struct Elf<'a> {
    bytes: &'a [u8],
}

impl<'a> Elf<'a> {
    /// The file that starts at an address; it tells its own length.
    ///
    /// # Safety
    /// A whole ELF file, or at least [`HEADER`] bytes, lie there and stay as they are for `'a`.
    pub unsafe fn at(address: *const u8) -> Option<Self> {
        // SAFETY: granted by the caller.
        let header = Self { bytes: unsafe { std::slice::from_raw_parts(address, HEADER) } };
        if !header.bytes.starts_with(b"\x7fELF\x02\x01") || header.section_size() != SECTION {
            return None;
        }
        let end = header.table().end;
        // SAFETY: granted by the caller: the table of sections is part of the file.
        let table = Self { bytes: unsafe { std::slice::from_raw_parts(address, end) } };
        let length = table.sections().map(|section| section.range.end).fold(end, usize::max);
        // SAFETY: granted by the caller: sections are parts of the file.
        Some(Self { bytes: unsafe { std::slice::from_raw_parts(address, length) } })
    }

    /// All of it.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// What it runs on.
    pub fn machine(&self) -> u16 {
        u16::from_le_bytes([self.bytes[18], self.bytes[19]])
    }

    /// Whether a cubin has a kernel of this name: its code is a section of its own.
    pub fn has_kernel(&self, name: &str) -> bool {
        let names = self.sections().nth(self.short(62)).map_or(0, |section| section.range.start);
        let wanted = [b".text.", name.as_bytes(), b"\0"].concat();
        self.sections().any(|section| self.bytes.get(names + section.name..).is_some_and(|text| text.starts_with(&wanted)))
    }

    fn short(&self, at: usize) -> usize {
        u16::from_le_bytes([self.bytes[at], self.bytes[at + 1]]).into()
    }

    fn word(&self, at: usize) -> usize {
        let bytes = self.bytes[at..at + 8].try_into().expect("eight bytes");
        u64::from_le_bytes(bytes) as usize
    }

    fn section_size(&self) -> usize {
        self.short(58)
    }

    fn table(&self) -> Range<usize> {
        let start = self.word(40);
        start..start + self.short(60) * SECTION
    }

    fn sections(&self) -> impl Iterator<Item = Section> {
        self.table().step_by(SECTION).map(|at| {
            let number = |at: usize| u32::from_le_bytes(self.bytes[at..at + 4].try_into().expect("four bytes"));
            let (start, bytes) = (self.word(at + 24), if number(at + 4) == NOBITS { 0 } else { self.word(at + 32) });
            Section { name: number(at) as usize, range: start..start + bytes }
        })
    }
}

struct Section {
    /// Where its name starts among the names.
    name: usize,
    /// Where it lies.
    range: Range<usize>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn an_object_tells_its_length() {
        let bytes = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        // SAFETY: a whole file.
        let elf = unsafe { Elf::at(bytes.as_ptr()) }.unwrap();
        assert_eq!((elf.bytes().len(), elf.machine()), (bytes.len(), HOST));
        assert!(!elf.has_kernel("no_such_kernel"));
    }
}
