//! Whether bytes are a whole ELF file: the driver is told an address only and believes what the file says of its length.

/// Bytes of the header, and of a section's entry.
const HEADER: usize = 64;
const SECTION: usize = 64;

/// A section without bytes in the file.
const NOBITS: u64 = 8;

/// Whether everything that the file names lies in it.
pub(super) fn is_whole(file: &[u8]) -> bool {
    let number = |at: usize, bytes: usize| -> Option<u64> {
        let found = file.get(at..at.checked_add(bytes)?)?;
        Some(found.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    };
    let lies_inside = |start: u64, bytes: u64| start.checked_add(bytes).is_some_and(|end| end <= file.len() as u64);
    let check = || {
        let (programs, sections) = (number(32, 8)?, number(40, 8)?);
        let [program_bytes, program_count, section_bytes, section_count] = [54, 56, 58, 60].map(|at| number(at, 2));
        let (program_bytes, program_count, section_count) = (program_bytes?, program_count?, section_count?);
        let tables = lies_inside(programs, program_bytes * program_count) && lies_inside(sections, SECTION as u64 * section_count);
        let is_known = section_bytes? == SECTION as u64 && section_count > 0;
        let section = |index: u64| {
            let at = usize::try_from(sections).ok()?.checked_add(index as usize * SECTION)?;
            let (kind, start, bytes) = (number(at + 4, 4)?, number(at + 24, 8)?, number(at + 32, 8)?);
            Some(kind == NOBITS || lies_inside(start, bytes))
        };
        Some(tables && is_known && (0..section_count).all(|index| section(index) == Some(true)))
    };
    // 64 bits, little endian: what cubins are.
    file.len() >= HEADER && file.starts_with(b"\x7fELF\x02\x01") && check() == Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A header, three bytes of content and two entries: one for nothing, one for the content.
    fn file() -> Vec<u8> {
        let mut file = vec![0; HEADER + 3 + 2 * SECTION];
        file[..6].copy_from_slice(b"\x7fELF\x02\x01");
        (file[40], file[58], file[60]) = (HEADER as u8 + 3, SECTION as u8, 2);
        let entry = HEADER + 3 + SECTION;
        (file[entry + 4], file[entry + 24], file[entry + 32]) = (1, HEADER as u8, 3);
        file
    }

    #[test]
    fn files_are_whole_or_not() {
        let whole = file();
        assert!(is_whole(&whole));
        assert!((0..whole.len()).all(|length| !is_whole(&whole[..length])), "cut anywhere");
        assert!(!is_whole(b"\x7fELF and nothing else, which is what a script may have written, over 64 bytes long"));
    }

    #[test]
    fn what_lies_outside_is_found() {
        for (at, value) in
            [(32, 255), (47, 255), (60, 3), (61, 255), (HEADER + 3 + SECTION + 32, 200), (HEADER + 3 + SECTION + 31, 255), (4, 1)]
        {
            let mut file = file();
            file[at] = value;
            // Entries of no size may lie anywhere.
            (file[54], file[56]) = (56, 1);
            assert!(!is_whole(&file), "byte {at}");
        }
    }
}
