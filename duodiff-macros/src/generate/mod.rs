//! From checked declarations to Rust: the macro of an arch, the implementation of a pair, a stub where there were errors.

mod arch;
mod network;
mod pair;
mod spec;

pub use arch::{Soundness, arch_macro};
pub use pair::{Method, build, shell};
pub use spec::spec;
