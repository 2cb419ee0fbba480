//! Ready architectures and pairs, and everything that declaring, compiling and sampling a pair takes.

// The expansion of `duodiff!` names this crate by its path, here too.
extern crate self as duodiff;

mod celeba64;
mod cifar10;
mod imagenet256;
mod imagenet64;
mod mnist;
mod uvit;

pub use celeba64::Celeba64;
pub use cifar10::Cifar10;
#[cfg(feature = "compile")]
pub use duodiff_graph::build;
pub use duodiff_graph::{Pair, spec};
#[doc(hidden)]
pub use duodiff_macros::__instantiate;
pub use duodiff_macros::duodiff;
pub use imagenet64::Imagenet64;
pub use imagenet256::Imagenet256;
pub use mnist::Mnist;
pub use uvit::uvit;

pub use duodiff_graph as graph;

#[doc = include_str!("../docs/dsl.md")]
pub mod dsl {}

/// Every ready pair.
pub const PAIRS: &[&dyn Pair] = &[&Mnist, &Cifar10, &Celeba64, &Imagenet64, &Imagenet256];

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
