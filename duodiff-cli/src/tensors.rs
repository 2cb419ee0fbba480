//! A .safetensors file that need not belong to a network: its header, and the numbers of single tensors.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use duodiff::graph::weights::tensors::{Dtype, Entry, Header, read_header};

use crate::error::{Failure, Result};

/// An open file with a checked header.
pub struct Tensors {
    path: PathBuf,
    file: File,
    /// Where the data starts.
    start: u64,
    header: Header,
}

impl Tensors {
    /// Reads and checks the header.
    pub fn open(path: &Path) -> Result<Self> {
        let unread = |why: std::io::Error| Failure::input(path, why);
        let mut file = File::open(path).map_err(unread)?;
        let metadata = file.metadata().map_err(unread)?;
        if !metadata.is_file() {
            return Err(Failure::input(path, "not a regular file"));
        }
        let header = read_header(&mut file, metadata.len()).map_err(unread)?.map_err(|why| Failure::input(path, why))?;
        let start = file.stream_position().map_err(unread)?;
        Ok(Self { path: path.to_path_buf(), file, start, header })
    }

    /// The header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The shape of a tensor, if it is there.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.entry(name).map(|entry| entry.shape.as_slice())
    }

    /// The numbers of a tensor that is there.
    pub fn numbers(&mut self, name: &str) -> Result<Vec<f64>> {
        let refuse = |path: &Path, why: String| Failure::input(path, format!("{name}: {why}"));
        let Some(entry) = self.entry(name) else { return Err(refuse(&self.path, "missing".to_string())) };
        let Some(number) = number(entry.dtype) else {
            return Err(refuse(&self.path, format!("its type is {} -- wanted F32, F64, I32 or I64", entry.dtype.name())));
        };
        let (range, width) = (entry.bytes.clone(), entry.dtype.size() as usize);
        // The header was checked against the length of the file.
        let mut bytes = vec![0; (range.end - range.start) as usize];
        let read = self.file.seek(SeekFrom::Start(self.start + range.start)).and_then(|_| self.file.read_exact(&mut bytes));
        read.map_err(|why| refuse(&self.path, why.to_string()))?;
        Ok(bytes.chunks_exact(width).map(number).collect())
    }

    fn entry(&self, name: &str) -> Option<&Entry> {
        self.header.entries.iter().find(|entry| entry.name == name)
    }
}

/// How to read an element.
fn number(dtype: Dtype) -> Option<fn(&[u8]) -> f64> {
    match dtype {
        Dtype::F32 => Some(|b| f64::from(f32::from_le_bytes(array(b)))),
        Dtype::F64 => Some(|b| f64::from_le_bytes(array(b))),
        Dtype::I32 => Some(|b| f64::from(i32::from_le_bytes(array(b)))),
        Dtype::I64 => Some(|b| i64::from_le_bytes(array(b)) as f64),
        _ => None,
    }
}

fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.try_into().expect("invariant: chunks have the length of their type")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_numbers_of_every_type_that_cases_have() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.safetensors");
        let header = r#"{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"y":{"dtype":"I64","shape":[1],"data_offsets":[4,12]},
            "z":{"dtype":"I32","shape":[1],"data_offsets":[12,16]},"u":{"dtype":"U8","shape":[1],"data_offsets":[16,17]}}"#;
        let data = [&1.5f32.to_le_bytes()[..], &(-7i64).to_le_bytes(), &9i32.to_le_bytes(), &[1]].concat();
        std::fs::write(&path, [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &data].concat()).unwrap();
        let mut tensors = Tensors::open(&path).unwrap();
        assert_eq!(["x", "y", "z"].map(|name| tensors.numbers(name).unwrap()), [[1.5], [-7.0], [9.0]]);
        assert!(tensors.numbers("u").unwrap_err().message.contains("U8"));
        assert!(tensors.numbers("v").unwrap_err().message.contains("missing"));
    }
}
