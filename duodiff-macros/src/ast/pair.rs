//! `pair NAME { key: value, … }`.

use proc_macro2::Span;
use syn::{Attribute, Ident, Path, Visibility};

use super::Scalar;

/// A declared pair, key by key.
pub struct PairDeclaration {
    /// Doc comments and other attributes.
    pub attributes: Vec<Attribute>,
    /// Who may use it.
    pub visibility: Visibility,
    /// Its name.
    pub name: Ident,
    /// `arch: path(argument = value, …)`
    pub arch: Field<ArchUse>,
    /// `image: [channels, height, width]`
    pub image: Field<Vec<Spanned<i64>>>,
    /// `process: linear_betas(1e-4, 2e-2, 1000)`
    pub process: Field<ProcessUse>,
    /// `time: t / 1000`
    pub time: Field<TimeUse>,
    /// `predicts: epsilon`
    pub predicts: Field<Ident>,
    /// `classes: 1001`
    pub classes: Field<Spanned<i64>>,
    /// `null_label: 1000`
    pub null_label: Field<Spanned<i64>>,
    /// `guidance: 0.4`
    pub guidance: Field<Spanned<f64>>,
    /// `backbones: { shallow: depth = 3, deep: depth = 13 }`
    pub backbones: Field<Vec<BackboneUse>>,
    /// `phases: { shallow: 999..=700, deep: 699..=0 }`
    pub phases: Field<Vec<PhaseUse>>,
    /// `history: carry`
    pub history: Field<Ident>,
    /// Whether a key was misspelt or swallowed, so that what is missing is no second mistake.
    pub misread: bool,
}

/// The value of a key, if there is one.
#[derive(Default)]
pub enum Field<T> {
    /// The key does not occur.
    #[default]
    Missing,
    /// The key occurs, its value is wrong, and an error says so.
    Broken,
    /// The key occurs.
    Given {
        /// The key.
        key: Span,
        /// Its value.
        value: T,
    },
}

impl<T> Field<T> {
    /// The value, if there is one.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Given { value, .. } => Some(value),
            Self::Missing | Self::Broken => None,
        }
    }

    /// The key's place, if its value is good.
    pub fn key(&self) -> Option<Span> {
        match self {
            Self::Given { key, .. } => Some(*key),
            Self::Missing | Self::Broken => None,
        }
    }

    /// Whether the key does not occur.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Missing)
    }
}

/// A value and its place.
#[derive(Clone, Copy)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Its token.
    pub span: Span,
}

/// The architecture of a pair, with arguments for all backbones.
pub struct ArchUse {
    /// Path of the architecture.
    pub path: Path,
    /// Sizes and options.
    pub arguments: Vec<Argument>,
}

/// `name = value` for a parameter of the arch.
pub struct Argument {
    /// The parameter.
    pub name: Ident,
    /// Its value.
    pub value: Spanned<Scalar>,
}

/// `linear_betas(1e-4, 2e-2, 1000)`.
pub struct ProcessUse {
    /// The rule of the betas.
    pub rule: Ident,
    /// Its numbers.
    pub numbers: Vec<Spanned<Scalar>>,
}

/// What the network is fed: `t · times / over + plus`.
#[derive(Clone, Copy, PartialEq)]
pub struct TimeUse {
    /// Factor.
    pub times: f64,
    /// Divisor.
    pub over: f64,
    /// Summand.
    pub plus: f64,
}

/// One entry of `backbones`.
pub struct BackboneUse {
    /// Its name.
    pub name: Ident,
    /// Parameters of the arch.
    pub arguments: Vec<Argument>,
    /// `process = …`
    pub process: Field<ProcessUse>,
    /// `time = …`
    pub time: Field<TimeUse>,
    /// `match = snr`
    pub matching: Field<Ident>,
}

/// One entry of `phases`.
pub struct PhaseUse {
    /// Which backbone.
    pub backbone: Ident,
    /// The first timestep evaluated.
    pub first: Spanned<i64>,
    /// The last timestep evaluated.
    pub last: Spanned<i64>,
}
