//! The `duodiff!` macro: architectures, backbones and phases in, typed calls of the build API out.
//!
//! The stages stand in the order of the data flow: parse → ast → check → generate; report collects the errors of each.

mod ast;
mod check;
mod expand;
mod generate;
mod parse;
mod report;
mod suggest;

#[cfg(test)]
mod tests;

use proc_macro::TokenStream;

/// Declares architectures (`arch`) and pairs of backbones (`pair`). The grammar is in `docs/dsl.md`.
#[proc_macro]
pub fn duodiff(input: TokenStream) -> TokenStream {
    expand::declare(input.into()).into()
}

/// Meets a pair with its architecture: the expansion of an `arch` calls this, nobody else does.
#[doc(hidden)]
#[proc_macro]
pub fn __instantiate(input: TokenStream) -> TokenStream {
    expand::instantiate(input.into()).into()
}
