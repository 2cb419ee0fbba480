//! The container: a hashed header, and hashed sections without gaps. All numbers are little-endian.

use std::borrow::Cow;

use super::BundleError;

/// The first bytes of every bundle.
pub const MAGIC: [u8; 8] = *b"duodiff\0";

/// Version of the format: to be raised whenever old bundles would be read differently.
pub const VERSION: u32 = 2;

/// Most sections.
const SECTIONS: u32 = 1024;

/// Bytes before the table: magic, version, number of sections, file length.
const START: usize = 24;

/// Bytes of a row of the table: kind, index, offset, length, hash.
const ROW: usize = 4 + 4 + 8 + 8 + 32;

/// Bytes of the header's hash.
const HASH: usize = 32;

/// What a section holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SectionKind {
    /// Targets and hashes of weights.
    Manifest,
    /// The plan.
    Plan,
    /// The weights of one backbone.
    Weights,
    /// What GPUs run, besides the cubins themselves.
    Cuda,
    /// One module for one kind of GPU.
    Cubin,
}

/// Kinds, their code in the table and their name.
const KINDS: [(SectionKind, u32, &str); 5] = [
    (SectionKind::Manifest, 1, "manifest"),
    (SectionKind::Plan, 2, "plan"),
    (SectionKind::Weights, 3, "weights"),
    (SectionKind::Cuda, 4, "list of cubins"),
    (SectionKind::Cubin, 5, "cubin"),
];

/// A section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section<'a> {
    /// What it holds.
    pub kind: SectionKind,
    /// Its number among those of its kind.
    pub index: u32,
    /// Its content.
    pub bytes: Cow<'a, [u8]>,
}

/// The bytes of a bundle with these sections.
pub fn write(sections: &[Section<'_>]) -> Vec<u8> {
    let header = START + ROW * sections.len() + HASH;
    let length = header + sections.iter().map(|section| section.bytes.len()).sum::<usize>();
    let count = u32::try_from(sections.len()).expect("invariant: few sections");
    let mut file = Vec::with_capacity(length);
    file.extend_from_slice(&MAGIC);
    file.extend_from_slice(&VERSION.to_le_bytes());
    file.extend_from_slice(&count.to_le_bytes());
    file.extend_from_slice(&(length as u64).to_le_bytes());
    let mut offset = header;
    for section in sections {
        let (_, code, _) = KINDS.iter().find(|(kind, ..)| *kind == section.kind).expect("invariant: every kind is listed");
        file.extend_from_slice(&code.to_le_bytes());
        file.extend_from_slice(&section.index.to_le_bytes());
        file.extend_from_slice(&(offset as u64).to_le_bytes());
        file.extend_from_slice(&(section.bytes.len() as u64).to_le_bytes());
        file.extend_from_slice(blake3::hash(&section.bytes).as_bytes());
        offset += section.bytes.len();
    }
    file.extend_from_slice(blake3::hash(&file).as_bytes());
    sections.iter().for_each(|section| file.extend_from_slice(&section.bytes));
    file
}

/// The sections of a bundle, every hash checked.
pub fn read(file: &[u8]) -> Result<Vec<Section<'_>>, BundleError> {
    if !file.starts_with(&MAGIC) {
        return Err(BundleError::Magic);
    }
    let found = file.len() as u64;
    let short = |wanted| BundleError::Length { found, wanted };
    let start = file.get(..START).ok_or(short(START as u64))?;
    let version = u32_at(start, 8);
    if version != VERSION {
        return Err(BundleError::Version { found: version });
    }
    let length = u64_at(start, 16);
    if length != found {
        return Err(short(length));
    }
    let count = u32_at(start, 12);
    if count > SECTIONS {
        return Err(BundleError::Header);
    }
    let table = START + ROW * count as usize;
    let (head, rest) = file.split_at_checked(table).ok_or(BundleError::Header)?;
    let (hash, mut rest) = rest.split_at_checked(HASH).ok_or(BundleError::Header)?;
    if blake3::hash(head).as_bytes() != hash {
        return Err(BundleError::Header);
    }
    let mut sections = Vec::with_capacity(count as usize);
    let mut offset = table + HASH;
    for row in head[START..].chunks_exact(ROW) {
        let length = usize::try_from(u64_at(row, 16)).map_err(|_| BundleError::Header)?;
        let (bytes, after) = rest.split_at_checked(length).ok_or(BundleError::Header)?;
        if u64_at(row, 8) != offset as u64 {
            return Err(BundleError::Header);
        }
        sections.push(section(row, bytes)?);
        (offset, rest) = (offset + length, after);
    }
    if rest.is_empty() { Ok(sections) } else { Err(BundleError::Header) }
}

/// The section that a row of the table describes.
fn section<'a>(row: &[u8], bytes: &'a [u8]) -> Result<Section<'a>, BundleError> {
    let (code, index) = (u32_at(row, 0), u32_at(row, 4));
    let (kind, _, name) = KINDS.iter().find(|(_, known, _)| *known == code).ok_or(BundleError::Sections)?;
    if blake3::hash(bytes).as_bytes() != &row[24..] {
        return Err(BundleError::Damaged { section: name, index });
    }
    Ok(Section { kind: *kind, index, bytes: bytes.into() })
}

/// The number at `at`, which lies inside.
fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// The number at `at`, which lies inside.
fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}
