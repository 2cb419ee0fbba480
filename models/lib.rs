//! Ready architectures and pairs, and everything that declaring, compiling and sampling a pair takes.

// The expansion of `duodiff!` names this crate by its path, here too.
extern crate self as duodiff;

mod cifar10;
mod mnist;
mod uvit;

pub use cifar10::Cifar10;
#[cfg(feature = "compile")]
pub use duodiff_graph::build;
pub use duodiff_graph::spec::{self, Pair};
#[doc(hidden)]
pub use duodiff_macros::__instantiate;
pub use duodiff_macros::duodiff;
pub use mnist::Mnist;
pub use uvit::uvit;

pub use duodiff_graph as graph;

#[doc = include_str!("../docs/dsl.md")]
pub mod dsl {}

/// Every ready pair.
pub const PAIRS: &[&dyn Pair] = &[&Mnist, &Cifar10];

/// Passes items through that need luminal.
#[cfg(feature = "compile")]
#[doc(hidden)]
#[macro_export]
macro_rules! when_compiling {
    ($($items:tt)*) => { $($items)* };
}

/// Drops items that need luminal.
#[cfg(not(feature = "compile"))]
#[doc(hidden)]
#[macro_export]
macro_rules! when_compiling {
    ($($items:tt)*) => {};
}
