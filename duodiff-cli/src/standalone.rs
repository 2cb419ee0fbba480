//! An executable with a bundle inside: this executable's image, the bundle, and a trailer that says how long the bundle is and
//! which hash it has. On start the executable looks for its own trailer.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use duodiff::graph::bundle::MAGIC;

/// The last bytes of such an executable.
const MARK: [u8; 16] = *b"duodiff in here\0";

/// Bytes of the trailer: length of the bundle, its BLAKE3, the mark.
const TRAILER: u64 = 8 + 32 + 16;

/// An executable whose bundle cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StandaloneError {
    /// The file could not be read.
    #[error("this executable could not read its own file: {0}")]
    Read(#[from] io::Error),
    /// The trailer is missing though a bundle begins.
    #[error("the bundle in this executable is cut -- copy the executable again, or make it again with `duodiff compile --standalone`")]
    Cut,
    /// Length or hash are wrong.
    #[error("the bundle in this executable is damaged -- copy the executable again, or make it again with `duodiff compile --standalone`")]
    Damaged,
}

/// Where the parts of an executable lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Parts {
    /// Bytes of the executable proper.
    image: u64,
    /// The bundle's length and hash, if there is one.
    bundle: Option<(u64, [u8; 32])>,
}

/// The bundle in this process's executable, if there is one.
pub fn bundle() -> Result<Option<Vec<u8>>, StandaloneError> {
    bundle_in(&mut own()?)
}

/// A copy of this process's executable with another bundle.
pub fn executable(bundle: &[u8]) -> Result<Vec<u8>, StandaloneError> {
    executable_of(&mut own()?, bundle)
}

/// The file that this process was started from, even if it was deleted or replaced since.
fn own() -> io::Result<File> {
    if cfg!(target_os = "linux") {
        return File::open("/proc/self/exe");
    }
    File::open(std::env::current_exe()?)
}

fn bundle_in(file: &mut (impl Read + Seek)) -> Result<Option<Vec<u8>>, StandaloneError> {
    let Parts { image, bundle } = parts(file)?;
    let Some((length, hash)) = bundle else { return Ok(None) };
    let bundle = read_at(file, image, length)?;
    if duodiff::graph::bundle::hash(&bundle) == hash { Ok(Some(bundle)) } else { Err(StandaloneError::Damaged) }
}

fn executable_of(file: &mut (impl Read + Seek), bundle: &[u8]) -> Result<Vec<u8>, StandaloneError> {
    let Parts { image, .. } = parts(file)?;
    let mut executable = read_at(file, 0, image)?;
    executable.extend_from_slice(bundle);
    executable.extend_from_slice(&(bundle.len() as u64).to_le_bytes());
    executable.extend_from_slice(&duodiff::graph::bundle::hash(bundle));
    executable.extend_from_slice(&MARK);
    Ok(executable)
}

fn parts(file: &mut (impl Read + Seek)) -> Result<Parts, StandaloneError> {
    let size = file.seek(SeekFrom::End(0))?;
    let trailer = if size < TRAILER { Vec::new() } else { read_at(file, size - TRAILER, TRAILER)? };
    let Some((length, rest)) = trailer.split_first_chunk().filter(|_| trailer.ends_with(&MARK)) else {
        return if bundle_begins(file, size)? { Err(StandaloneError::Cut) } else { Ok(Parts { image: size, bundle: None }) };
    };
    let length = u64::from_le_bytes(*length);
    let hash = rest[..32].try_into().expect("invariant: the trailer holds a hash");
    let image = (size - TRAILER).checked_sub(length).ok_or(StandaloneError::Damaged)?;
    Ok(Parts { image, bundle: Some((length, hash)) })
}

/// Whether a bundle follows the executable proper, whose length an ELF file tells: its table of sections comes last. Without this, a
/// copy that lost its end would sample the pair that every executable has.
fn bundle_begins(file: &mut (impl Read + Seek), size: u64) -> io::Result<bool> {
    const HEADER: u64 = 64;
    if size < HEADER {
        return Ok(false);
    }
    let header = read_at(file, 0, HEADER)?;
    let is_elf64 = header.starts_with(b"\x7fELF\x02\x01");
    let u16_at = |at: usize| u64::from(u16::from_le_bytes([header[at], header[at + 1]]));
    let table = u64::from_le_bytes(header[40..48].try_into().expect("invariant: eight bytes"));
    let end = table.saturating_add(u16_at(58) * u16_at(60));
    let magic = MAGIC.len() as u64;
    Ok(is_elf64 && end.checked_add(magic).is_some_and(|end| end <= size) && read_at(file, end, magic)? == MAGIC)
}

fn read_at(file: &mut (impl Read + Seek), start: u64, length: u64) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes)?;
    if bytes.len() as u64 == length { Ok(bytes) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    /// An ELF file of 128 bytes: a header, and one section's entry at its end.
    fn image() -> Vec<u8> {
        let mut image = vec![0; 128];
        image[..6].copy_from_slice(b"\x7fELF\x02\x01");
        (image[40], image[58], image[60]) = (64, 64, 1);
        image
    }

    fn found(executable: &[u8]) -> Result<Option<Vec<u8>>, StandaloneError> {
        bundle_in(&mut Cursor::new(executable))
    }

    #[test]
    fn what_was_put_in_is_found() {
        assert_eq!(found(&image()).unwrap(), None);
        assert_eq!(found(b"").unwrap(), None);
        let bundle = [&MAGIC[..], b"first"].concat();
        let executable = executable_of(&mut Cursor::new(image()), &bundle).unwrap();
        assert_eq!(found(&executable).unwrap(), Some(bundle));
        let other = [&MAGIC[..], b"other"].concat();
        let again = executable_of(&mut Cursor::new(executable), &other).unwrap();
        assert_eq!(again, executable_of(&mut Cursor::new(image()), &other).unwrap(), "the old bundle is left out");
    }

    #[test]
    fn every_cut_and_every_edit_behind_the_image_is_refused() {
        let bundle = [&MAGIC[..], b"bundle"].concat();
        let whole = executable_of(&mut Cursor::new(image()), &bundle).unwrap();
        for length in 128 + MAGIC.len()..whole.len() {
            assert!(matches!(found(&whole[..length]), Err(StandaloneError::Cut)), "{length}");
        }
        for at in 128..whole.len() {
            let mut edited = whole.clone();
            edited[at] ^= 1;
            assert!(found(&edited).is_err(), "{at}");
        }
    }
}
