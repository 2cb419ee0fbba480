//! A kernel by name, and its launch.

use std::fmt::{self, Display, Formatter};

use super::{Argument, Module};

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

/// One launch.
#[derive(Clone, Debug, PartialEq)]
pub struct Launch {
    /// What is launched.
    pub kernel: Kernel,
    /// Blocks along x, y and z.
    pub grid: [u32; 3],
    /// Threads of a block.
    pub block: u32,
    /// Bytes of dynamic shared memory of a block.
    pub shared: u32,
    /// In the order of the kernel's parameters.
    pub arguments: Vec<Argument>,
}
