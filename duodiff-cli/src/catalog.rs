//! The declared pairs, by name.

use duodiff::Pair;
use duodiff::graph::spec::text::{echo, hint};
use duodiff::spec::PairSpec;

use crate::error::{Failure, Result};

/// The declared pairs, in the order of declaration.
#[derive(Clone, Copy)]
pub struct Catalog<'a>(pub &'a [&'a dyn Pair]);

impl<'a> Catalog<'a> {
    /// The pair called `name`, if there is one.
    pub fn get(self, name: &str) -> Option<&'a dyn Pair> {
        self.0.iter().copied().find(|pair| pair.spec().name == name)
    }

    /// The pair called `name`.
    pub fn find(self, name: &str) -> Result<&'a dyn Pair> {
        self.get(name).ok_or_else(|| {
            let names: Vec<_> = self.0.iter().map(|pair| pair.spec().name).collect();
            let names: Vec<_> = names.iter().map(String::as_str).collect();
            Failure::usage(format!("there is no pair `{}` -- {}", echo(name), hint(name, &names))).hint("duodiff pairs")
        })
    }
}

/// The index of a pair's backbone called `name`.
pub fn backbone(spec: &PairSpec, name: &str) -> Result<usize> {
    let names: Vec<_> = spec.backbones.iter().map(|backbone| backbone.name.as_str()).collect();
    let found = names.iter().position(|known| *known == name);
    found.ok_or_else(|| Failure::usage(format!("{} has no backbone `{}` -- {}", spec.name, echo(name), hint(name, &names))))
}
