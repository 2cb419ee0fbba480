//! The macro from tokens to tokens, inside the crate: refusals, expansions, and input that nobody would write.

mod base;
mod expansion;
mod hostile;
mod refusals_arch;
mod refusals_pair;
mod refusals_shapes;
mod refusals_syntax;
