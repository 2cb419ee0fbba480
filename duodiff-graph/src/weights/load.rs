//! From a file to weights: header first, then tensor by tensor, each read once.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use half::{bf16, f16};

use super::tensors::{Dtype, Entry, read_header};
use super::{Tensor, Wanted, Weights, WeightsError};
use crate::plan::Plan;

/// Bytes read and converted at once.
const CHUNK: usize = 1 << 16;

/// Reads one safetensors file per backbone of a plan, in the order of declaration.
pub fn open_all(plan: &Plan, paths: &[impl AsRef<Path>]) -> Result<Vec<Weights>, WeightsError> {
    let wanted = Wanted::all(plan);
    if paths.len() != wanted.len() {
        return Err(WeightsError::Files { found: paths.len(), wanted: wanted.into_iter().map(|wanted| wanted.backbone).collect() });
    }
    (0..).zip(paths).map(|(which, path)| Weights::open(path.as_ref(), &wanted, which)).collect()
}

impl Weights {
    /// Reads a safetensors file for backbone `which` of `wanted`.
    pub fn open(path: &Path, wanted: &[Wanted], which: usize) -> Result<Self, WeightsError> {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file -- give a .safetensors file").into());
        }
        Self::read(file, metadata.len(), wanted, which)
    }

    /// Reads safetensors bytes for backbone `which` of `wanted`.
    pub fn from_bytes(bytes: &[u8], wanted: &[Wanted], which: usize) -> Result<Self, WeightsError> {
        Self::read(bytes, bytes.len() as u64, wanted, which)
    }

    /// Reads a safetensors file of `len` bytes for backbone `which` of `wanted`.
    ///
    /// Memory is bounded: the header by a constant, the tensors by what the plan wants and by `len`.
    ///
    /// # Panics
    /// If there is no `wanted[which]`.
    pub fn read(mut reader: impl Read, len: u64, wanted: &[Wanted], which: usize) -> Result<Self, WeightsError> {
        let header = read_header(&mut reader, len)??;
        Wanted::check(wanted, which, &header.entries)?;
        let mut tensors = BTreeMap::new();
        for entry in header.entries {
            let data = read_tensor(&mut reader, &entry)?;
            tensors.insert(entry.name, Tensor { shape: entry.shape, data });
        }
        Ok(Self::new(tensors))
    }
}

/// The elements of the tensor that comes next, as float32.
fn read_tensor(reader: &mut impl Read, entry: &Entry) -> Result<Vec<f32>, WeightsError> {
    let mut data = Vec::with_capacity(entry.elements());
    let mut rest = entry.bytes.end - entry.bytes.start;
    let mut buffer = [0; CHUNK];
    while rest > 0 {
        let part = &mut buffer[..usize::try_from(rest).map_or(CHUNK, |rest| rest.min(CHUNK))];
        reader.read_exact(part)?;
        rest -= part.len() as u64;
        extend(&mut data, entry.dtype, part);
    }
    match data.iter().position(|value| !value.is_finite()) {
        Some(element) => Err(WeightsError::NotFinite { name: entry.name.clone(), element, found: data[element] }),
        None => Ok(data),
    }
}

/// Appends little-endian elements; types that are no weights were refused before.
pub fn extend(data: &mut Vec<f32>, dtype: Dtype, bytes: &[u8]) {
    match dtype {
        Dtype::F16 => data.extend(bytes.as_chunks().0.iter().map(|pair| f16::from_le_bytes(*pair).to_f32())),
        Dtype::BF16 => data.extend(bytes.as_chunks().0.iter().map(|pair| bf16::from_le_bytes(*pair).to_f32())),
        _ => data.extend(bytes.as_chunks().0.iter().map(|four| f32::from_le_bytes(*four))),
    }
}
