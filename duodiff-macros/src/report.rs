//! Collects errors, so that one expansion reports all of them: one per offending token.

use std::collections::HashSet;
use std::fmt::Display;

use proc_macro2::{Span, TokenStream};

/// Errors found so far.
#[derive(Default)]
pub struct Errors {
    errors: Vec<syn::Error>,
    places: HashSet<String>,
}

impl Errors {
    /// Notes an error, unless one is known at the same place: a second one there would only follow from the first.
    pub fn error(&mut self, span: Span, message: impl Display) {
        if self.places.insert(place(span)) {
            self.errors.push(syn::Error::new(span, message));
        }
    }

    /// Notes an error that a parser returned.
    pub fn note(&mut self, error: syn::Error) {
        self.error(error.span(), error);
    }

    /// Takes over the errors of a part.
    pub fn absorb(&mut self, part: Self) {
        part.errors.into_iter().for_each(|error| self.note(error));
    }

    /// How many errors there are, to see whether a stage added any.
    pub fn count(&self) -> usize {
        self.errors.len()
    }

    /// One `compile_error!` per error, in order of discovery.
    pub fn render(&self) -> TokenStream {
        self.errors.iter().map(syn::Error::to_compile_error).collect()
    }

    /// The errors themselves.
    #[cfg(test)]
    pub fn into_errors(self) -> Vec<syn::Error> {
        self.errors
    }
}

/// A span as a comparable name: spans themselves have no equality.
pub fn place(span: Span) -> String {
    format!("{span:?}")
}
