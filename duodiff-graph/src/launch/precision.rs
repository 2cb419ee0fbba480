//! In which numbers a GPU computes.

use std::fmt::{self, Display, Formatter};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::spec::text::{echo, hint};

/// What products are computed in and values are kept in. Sums are float32 throughout, and so are images and preludes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Precision {
    /// float32: the CPU's numbers.
    F32,
    /// Values in float32, factors of products rounded to 11 bits.
    Tf32,
    /// Values and weights in bfloat16.
    Bf16,
}

/// The type of a tensor's elements on the device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Element {
    /// float32.
    #[default]
    F32,
    /// bfloat16.
    Bf16,
}

/// A name that is no precision.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is no precision -- {hint}")]
pub struct PrecisionError {
    /// What was written, fit to be shown.
    found: String,
    /// What was meant, or all there is.
    hint: String,
}

impl Precision {
    /// Every precision, the most exact first.
    pub const ALL: [Self; 3] = [Self::F32, Self::Tf32, Self::Bf16];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Tf32 => "tf32",
            Self::Bf16 => "bf16",
        }
    }

    /// The type of tokens and of the parameters that meet them.
    pub fn element(self) -> Element {
        match self {
            Self::F32 | Self::Tf32 => Element::F32,
            Self::Bf16 => Element::Bf16,
        }
    }
}

impl Element {
    /// Its name, as kernels end in.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
        }
    }

    /// Bytes of one.
    pub fn bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::Bf16 => 2,
        }
    }
}

impl FromStr for Precision {
    type Err = PrecisionError;

    fn from_str(typed: &str) -> Result<Self, PrecisionError> {
        let found = Self::ALL.into_iter().find(|precision| precision.name() == typed);
        found.ok_or_else(|| PrecisionError { found: echo(typed), hint: hint(typed, &Self::ALL.map(Self::name)) })
    }
}

impl TryFrom<String> for Precision {
    type Error = PrecisionError;

    fn try_from(written: String) -> Result<Self, PrecisionError> {
        written.parse()
    }
}

impl From<Precision> for String {
    fn from(precision: Precision) -> Self {
        precision.name().to_owned()
    }
}

impl Display for Precision {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Display for Element {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::Precision;

    #[test]
    fn names_are_read_back() {
        for precision in Precision::ALL {
            assert_eq!(precision.name().parse(), Ok(precision));
        }
        assert_eq!("fp16".parse::<Precision>().unwrap_err().to_string(), "`fp16` is no precision -- did you mean `bf16`?");
    }
}
