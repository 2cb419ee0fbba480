//! What a bundle may be compiled for.

use std::fmt::{self, Display, Formatter};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::spec::text::{echo, hint};

/// Where a bundle runs. Written `cpu`, or as the compiler of CUDA names a GPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Target {
    /// Any CPU that this library is built for.
    Cpu,
    /// An NVIDIA GPU.
    Gpu(Sm),
}

/// A kind of NVIDIA GPU, by the version of its streaming multiprocessors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sm {
    /// A100.
    Sm80,
    /// RTX 30 and A40.
    Sm86,
    /// RTX 40 and L40.
    Sm89,
    /// Every Hopper.
    Sm90,
    /// H100 and H200, with the instructions that only they have.
    Sm90a,
    /// B200.
    Sm100,
    /// RTX 50.
    Sm120,
}

/// A name that is no target.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is no target -- {hint}")]
pub struct TargetError {
    /// What was written, fit to be shown.
    found: String,
    /// What was meant, or all there is.
    hint: String,
}

impl Target {
    /// Every target.
    pub const ALL: [Self; 8] = [
        Self::Cpu,
        Self::Gpu(Sm::Sm80),
        Self::Gpu(Sm::Sm86),
        Self::Gpu(Sm::Sm89),
        Self::Gpu(Sm::Sm90),
        Self::Gpu(Sm::Sm90a),
        Self::Gpu(Sm::Sm100),
        Self::Gpu(Sm::Sm120),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Gpu(sm) => sm.name(),
        }
    }

    /// The kind of GPU, if it is one.
    pub fn gpu(self) -> Option<Sm> {
        match self {
            Self::Cpu => None,
            Self::Gpu(sm) => Some(sm),
        }
    }
}

impl Sm {
    /// Every kind, older ones first.
    pub const ALL: [Self; 7] = [Self::Sm80, Self::Sm86, Self::Sm89, Self::Sm90, Self::Sm90a, Self::Sm100, Self::Sm120];

    /// Its name, as in `nvcc -arch`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sm80 => "sm_80",
            Self::Sm86 => "sm_86",
            Self::Sm89 => "sm_89",
            Self::Sm90 => "sm_90",
            Self::Sm90a => "sm_90a",
            Self::Sm100 => "sm_100",
            Self::Sm120 => "sm_120",
        }
    }

    /// The compute capability: major and minor version.
    pub fn capability(self) -> (u32, u32) {
        match self {
            Self::Sm80 => (8, 0),
            Self::Sm86 => (8, 6),
            Self::Sm89 => (8, 9),
            Self::Sm90 | Self::Sm90a => (9, 0),
            Self::Sm100 => (10, 0),
            Self::Sm120 => (12, 0),
        }
    }

    /// Whether code for it runs on exactly this capability, and on no higher minor version.
    pub fn is_exact(self) -> bool {
        self == Self::Sm90a
    }
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(typed: &str) -> Result<Self, TargetError> {
        let names = Self::ALL.map(Self::name);
        let found = Self::ALL.into_iter().find(|target| target.name() == typed);
        found.ok_or_else(|| TargetError { found: echo(typed), hint: hint(typed, &names) })
    }
}

impl TryFrom<String> for Target {
    type Error = TargetError;

    fn try_from(written: String) -> Result<Self, TargetError> {
        written.parse()
    }
}

impl From<Target> for String {
    fn from(target: Target) -> Self {
        target.name().to_owned()
    }
}

impl From<Sm> for Target {
    fn from(sm: Sm) -> Self {
        Self::Gpu(sm)
    }
}

impl Display for Target {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Display for Sm {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for target in Target::ALL {
            assert_eq!(target.name().parse(), Ok(target));
        }
        assert!(Target::ALL.is_sorted());
    }

    #[test]
    fn the_nearest_is_named() {
        let message = |typed: &str| typed.parse::<Target>().unwrap_err().to_string();
        assert_eq!(message("sm90a"), "`sm90a` is no target -- did you mean `sm_90a`?");
        assert_eq!(
            message("CPU"),
            "`CPU` is no target -- use `cpu` or `sm_80` or `sm_86` or `sm_89` or `sm_90` or `sm_90a` or `sm_100` or `sm_120`"
        );
        assert!(message("sm_121").ends_with("did you mean `sm_120`?"));
        assert!(message("\u{1b}[2J").starts_with("`\\u{1b}[2J`"));
    }

    #[test]
    fn capabilities_follow_the_names() {
        assert!(Target::ALL.into_iter().filter_map(Target::gpu).eq(Sm::ALL));
        for sm in Sm::ALL {
            let (major, minor) = sm.capability();
            let suffix = if sm.is_exact() { "a" } else { "" };
            assert_eq!(sm.name(), format!("sm_{major}{minor}{suffix}"));
        }
    }
}
