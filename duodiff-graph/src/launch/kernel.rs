//! A kernel by name.

use std::fmt::{self, Display, Formatter};

use super::Module;

/// An entry point of a module.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kernel {
    /// Where it is.
    pub module: Module,
    /// The name of its function.
    pub entry: String,
}

impl Kernel {
    /// A kernel of `module`.
    pub fn new(module: Module, entry: impl Into<String>) -> Self {
        Self { module, entry: entry.into() }
    }
}

impl Display for Kernel {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.entry)
    }
}
