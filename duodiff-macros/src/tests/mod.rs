//! The macro from tokens to tokens, inside the crate: refusals, expansions, and input that nobody would write.
