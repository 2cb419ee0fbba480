//! The safetensors format, behind a gate: the header is bounded and checked whole before any tensor is touched.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::ops::Range;

use super::json::{Json, Unexpected};
use crate::spec::text::echo;

/// Longest header, in bytes.
const HEADER: u64 = 1 << 20;

/// Most tensors of a file.
const TENSORS: usize = 4096;

/// Largest rank of a tensor.
const RANK: usize = 8;

/// Type of a tensor's elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say all")]
pub enum Dtype {
    Bool,
    U8,
    I8,
    I16,
    U16,
    F16,
    BF16,
    I32,
    U32,
    F32,
    F64,
    I64,
    U64,
}

/// Types by the name that the format gives them.
const DTYPES: [(&str, Dtype, u64); 13] = [
    ("BOOL", Dtype::Bool, 1),
    ("U8", Dtype::U8, 1),
    ("I8", Dtype::I8, 1),
    ("I16", Dtype::I16, 2),
    ("U16", Dtype::U16, 2),
    ("F16", Dtype::F16, 2),
    ("BF16", Dtype::BF16, 2),
    ("I32", Dtype::I32, 4),
    ("U32", Dtype::U32, 4),
    ("F32", Dtype::F32, 4),
    ("F64", Dtype::F64, 8),
    ("I64", Dtype::I64, 8),
    ("U64", Dtype::U64, 8),
];

impl Dtype {
    /// The format's name.
    pub fn name(self) -> &'static str {
        self.row().0
    }

    /// Bytes of one element.
    pub fn size(self) -> u64 {
        self.row().2
    }

    fn row(self) -> &'static (&'static str, Self, u64) {
        DTYPES.iter().find(|(_, dtype, _)| *dtype == self).expect("invariant: every type is listed")
    }
}

/// One tensor of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Type of its elements.
    pub dtype: Dtype,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Its bytes, counted from the end of the header.
    pub bytes: Range<u64>,
}

impl Entry {
    /// Number of elements.
    pub fn elements(&self) -> usize {
        self.shape.iter().product()
    }
}

/// A checked header: the tensors lie one after the other, without gap or overlap, up to the end of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// In the order of their bytes.
    pub entries: Vec<Entry>,
    /// Free text.
    pub metadata: BTreeMap<String, String>,
}

/// A file that is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// Another format.
    #[error("this is {0}, not a safetensors file -- save it as safetensors")]
    Format(&'static str),
    /// Shorter than its header.
    #[error("the file ends after {found} bytes, its header needs {wanted} -- it is cut off or no safetensors file")]
    Short {
        /// Size of the file.
        found: u64,
        /// Size that the header needs.
        wanted: u64,
    },
    /// A header beyond the bound.
    #[error("the header would be {found} bytes, at most {HEADER} are read -- no safetensors file, or hostile")]
    Long {
        /// As the file says.
        found: u64,
    },
    /// A header that is not the JSON it should be.
    #[error("the header is malformed at byte {at}: {wanted} should be there")]
    Json {
        /// Offset in the header.
        at: usize,
        /// What should be there.
        wanted: &'static str,
    },
    /// Too many tensors.
    #[error("the file has more than {TENSORS} tensors")]
    Count,
    /// Two tensors of one name.
    #[error("tensor `{}` is there twice", echo(.0))]
    Twice(String),
    /// A field that is missing, unknown or there twice.
    #[error("tensor `{}` does not have exactly one dtype, shape and data_offsets", echo(.0))]
    Fields(String),
    /// A type that the format does not have.
    #[error("tensor `{}` has the unknown type `{}`", echo(.name), echo(.found))]
    Dtype {
        /// The tensor.
        name: String,
        /// Its type.
        found: String,
    },
    /// Too many axes, or more elements than can be counted.
    #[error("tensor `{}` has an impossible shape", echo(.0))]
    Shape(String),
    /// Bytes that do not follow from type and shape, overlap, leave a gap or lie outside the file.
    #[error("tensor `{}` takes bytes {}..{}, by type, shape and order it should take {}..{}", echo(.name), found.start, found.end, wanted.start, wanted.end)]
    Offsets {
        /// The tensor.
        name: String,
        /// As the file says.
        found: Range<u64>,
        /// As it should be.
        wanted: Range<u64>,
    },
    /// Data that is too short or too long for the tensors.
    #[error("the file has {found} bytes of tensor data, its header describes {wanted} -- it is cut off or damaged")]
    Size {
        /// In the file.
        found: u64,
        /// By the header.
        wanted: u64,
    },
}

impl From<Unexpected> for FileError {
    fn from(Unexpected { at, wanted }: Unexpected) -> Self {
        Self::Json { at, wanted }
    }
}

/// Reads and checks the header of a file of `len` bytes; `reader` is left at the first tensor.
///
/// # Errors
/// The outer error is the reader's, the inner one the file's.
pub fn read_header(reader: &mut impl Read, len: u64) -> io::Result<Result<Header, FileError>> {
    let short = |wanted| Ok(Err(FileError::Short { found: len, wanted }));
    let mut start = [0; 8];
    if len < 8 {
        return short(8);
    }
    reader.read_exact(&mut start)?;
    let size = u64::from_le_bytes(start);
    if size > HEADER {
        return Ok(Err(foreign(&start).map_or(FileError::Long { found: size }, FileError::Format)));
    }
    if size > len - 8 {
        return short(size + 8);
    }
    let mut text = vec![0; size as usize];
    reader.read_exact(&mut text)?;
    Ok(Header::parse(&text, len - 8 - size))
}

/// The format of a file that is no safetensors file, by its first bytes.
fn foreign(start: &[u8; 8]) -> Option<&'static str> {
    match start {
        [b'P', b'K', 3, 4, ..] => Some("a PyTorch checkpoint or another ZIP archive"),
        [0x80, 2..=5, ..] => Some("a Python pickle"),
        [0x89, b'H', b'D', b'F', ..] => Some("an HDF5 file"),
        [0x93, b'N', b'U', b'M', ..] => Some("a NumPy array"),
        [b'G', b'G', b'U', b'F', ..] => Some("a GGUF file"),
        [b'v', b'e', b'r', b's', b'i', b'o', b'n', b' '] => Some("a Git LFS pointer"),
        [0x1f, 0x8b, ..] => Some("a gzip archive"),
        _ => None,
    }
}

impl Header {
    /// Parses and checks the text of a header that `data` bytes of tensors follow.
    pub fn parse(text: &[u8], data: u64) -> Result<Self, FileError> {
        let mut header = Self::default();
        let mut json = Json::new(text);
        json.expect(b'{', "an opening brace")?;
        json.items(b'}', |json| header.item(json))?;
        json.end()?;
        header.check(data)?;
        Ok(header)
    }

    /// One `"name": {…}`.
    fn item(&mut self, json: &mut Json<'_>) -> Result<(), FileError> {
        let name = json.string()?;
        json.expect(b':', "a colon")?;
        json.expect(b'{', "an opening brace")?;
        if name != "__metadata__" {
            if self.entries.len() == TENSORS {
                return Err(FileError::Count);
            }
            self.entries.push(entry(json, name)?);
            return Ok(());
        }
        if !self.metadata.is_empty() {
            return Err(FileError::Twice(name));
        }
        json.items(b'}', |json| {
            let key = json.string()?;
            json.expect(b':', "a colon")?;
            let value = json.string()?;
            self.metadata.insert(key.clone(), value).map_or(Ok(()), |_| Err(FileError::Twice(key)))
        })
    }

    /// Checks names and places, and puts the tensors in the order of their bytes.
    fn check(&mut self, data: u64) -> Result<(), FileError> {
        self.entries.sort_by(|a, b| (a.bytes.start, a.bytes.end, &a.name).cmp(&(b.bytes.start, b.bytes.end, &b.name)));
        let mut names: Vec<&str> = self.entries.iter().map(|entry| entry.name.as_str()).collect();
        names.sort_unstable();
        if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(FileError::Twice(pair[0].to_owned()));
        }
        let mut at = 0_u64;
        for entry in &self.entries {
            let impossible = || FileError::Shape(entry.name.clone());
            let elements =
                entry.shape.iter().try_fold(1_u64, |product, extent| product.checked_mul(*extent as u64)).ok_or_else(impossible)?;
            let end = elements.checked_mul(entry.dtype.size()).and_then(|size| at.checked_add(size)).ok_or_else(impossible)?;
            if entry.bytes != (at..end) {
                return Err(FileError::Offsets { name: entry.name.clone(), found: entry.bytes.clone(), wanted: at..end });
            }
            at = end;
        }
        if at == data { Ok(()) } else { Err(FileError::Size { found: data, wanted: at }) }
    }
}

/// The rest of a tensor's description, after its opening brace.
fn entry(json: &mut Json<'_>, name: String) -> Result<Entry, FileError> {
    let (mut dtype, mut shape, mut offsets) = (None, None, None);
    json.items(b'}', |json| {
        let field = json.string()?;
        json.expect(b':', "a colon")?;
        let twice = match field.as_str() {
            "dtype" => dtype.replace(json.string()?).is_some(),
            "shape" => shape.replace(numbers(json, RANK, &name)?).is_some(),
            "data_offsets" => offsets.replace(numbers(json, 2, &name)?).is_some(),
            _ => true,
        };
        if twice { Err(FileError::Fields(name.clone())) } else { Ok(()) }
    })?;
    let (Some(dtype), Some(shape), Some([start, end])) = (dtype, shape, offsets.as_deref()) else { return Err(FileError::Fields(name)) };
    let Some((_, known, _)) = DTYPES.iter().find(|(text, ..)| *text == dtype) else {
        return Err(FileError::Dtype { name, found: dtype });
    };
    let shape =
        shape.iter().map(|extent| usize::try_from(*extent)).collect::<Result<_, _>>().map_err(|_| FileError::Shape(name.clone()))?;
    Ok(Entry { name, dtype: *known, shape, bytes: *start..*end })
}

/// At most `most` numbers in brackets.
fn numbers(json: &mut Json<'_>, most: usize, name: &str) -> Result<Vec<u64>, FileError> {
    let mut numbers = Vec::new();
    json.expect(b'[', "an opening bracket")?;
    json.items(b']', |json| {
        if numbers.len() == most {
            return Err(FileError::Shape(name.to_owned()));
        }
        numbers.push(json.number()?);
        Ok(())
    })?;
    Ok(numbers)
}

/// A file of these float32 tensors, in this order: (name, shape, elements).
pub fn write_f32(tensors: &[(&str, &[usize], &[f32])]) -> Vec<u8> {
    let mut header = String::from("{");
    let mut at = 0;
    for (i, (name, shape, data)) in tensors.iter().enumerate() {
        let (comma, end) = (if i == 0 { "" } else { "," }, at + 4 * data.len());
        let name: String = name.chars().flat_map(json_escape).collect();
        header += &format!(r#"{comma}"{name}":{{"dtype":"F32","shape":{shape:?},"data_offsets":[{at},{end}]}}"#);
        at = end;
    }
    header.push('}');
    header.extend(std::iter::repeat_n(' ', header.len().next_multiple_of(8) - header.len()));
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend_from_slice(header.as_bytes());
    file.extend(tensors.iter().flat_map(|(_, _, data)| data.iter()).flat_map(|value| value.to_le_bytes()));
    file
}

/// A character in a string of JSON.
fn json_escape(character: char) -> Vec<char> {
    match character {
        '"' | '\\' => vec!['\\', character],
        '\0'..='\x1f' => format!("\\u{:04x}", character as u32).chars().collect(),
        _ => vec![character],
    }
}
