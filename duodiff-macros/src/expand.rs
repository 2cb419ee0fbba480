//! The way through: parse, check, generate; errors of a stage are collected, and what follows from them is not reported.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::quote;

use crate::ast::{Arch, PairDeclaration};
use crate::check::{Library, check_arch, check_pair, evaluate_backbones};
use crate::generate::{Method, Soundness, arch_macro, build, shell, spec};
use crate::parse::{Declaration, Item, items};
use crate::report::Errors;

/// `duodiff! { … }`
pub fn declare(tokens: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let output = declarations(tokens, &mut errors);
    let errors = errors.render();
    quote!(#errors #output)
}

/// The expansion of all declarations; errors go to `errors`.
pub fn declarations(tokens: TokenStream, errors: &mut Errors) -> TokenStream {
    let mut output = TokenStream::new();
    for Item { declaration, tokens, errors: mut own } in items(tokens, errors) {
        match &declaration {
            Declaration::Arch(arch) => output.extend(declare_arch(arch, &tokens, &mut own)),
            Declaration::Pair(pair) => output.extend(declare_pair(pair, &tokens, &mut own)),
        }
        errors.absorb(own);
    }
    output
}

/// An arch is checked where it is declared, as far as that is possible without sizes.
fn declare_arch(arch: &Arch, tokens: &TokenStream, errors: &mut Errors) -> TokenStream {
    // Names cannot be judged where statements were not understood.
    if errors.count() == 0 {
        check_arch(arch, errors);
    }
    let soundness = if errors.count() == 0 { Soundness::Sound } else { Soundness::Broken };
    arch_macro(arch, tokens, soundness)
}

/// The type, and the rest of the work for the arch's macro. Without an arch the pair's own keys are checked here.
fn declare_pair(pair: &PairDeclaration, tokens: &TokenStream, errors: &mut Errors) -> TokenStream {
    if pair.arch.value().is_some() {
        // The same tokens are read again behind the arch's macro, which then reports what is wrong with them.
        *errors = Errors::default();
    } else {
        check_pair(pair, errors);
    }
    shell(pair, pair.arch.value(), tokens)
}

/// `__instantiate! { { arch … } spec { pair … } }` or `… build backbone { pair … }`: the body of a method.
pub fn instantiate(tokens: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let output = body(tokens, &mut errors);
    let errors = errors.render();
    quote!({ #errors #output })
}

/// The body of a method; errors go to `errors`, once: with the spec.
pub fn body(tokens: TokenStream, errors: &mut Errors) -> TokenStream {
    let refused = quote!(::core::unreachable!());
    let (mut groups, mut words) = (Vec::new(), Vec::new());
    for token in tokens {
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => groups.push(group.stream()),
            TokenTree::Ident(word) => words.push(word),
            _ => {}
        }
    }
    let ([arch, pair], Some(word)) = (groups.as_slice(), words.first()) else { return refused };
    let method = match words.get(1) {
        Some(index) if word == "build" => Method::Build(index.clone()),
        _ => Method::Spec,
    };
    let mut found = Errors::default();
    let body = checked_body(arch.clone(), pair.clone(), &method, &mut found);
    if method == Method::Spec {
        errors.absorb(found);
    }
    body.unwrap_or(refused)
}

/// The body, if arch and pair are right. The arch is empty if it was refused where it is declared.
fn checked_body(arch: TokenStream, pair: TokenStream, method: &Method, errors: &mut Errors) -> Option<TokenStream> {
    let arch = items(arch, &mut Errors::default()).into_iter().find_map(|item| match item.declaration {
        Declaration::Arch(arch) => Some(arch),
        Declaration::Pair(_) => None,
    });
    let (pair, unread) = items(pair, errors).into_iter().find_map(|item| match item.declaration {
        Declaration::Pair(pair) => Some((pair, item.errors)),
        Declaration::Arch(_) => None,
    })?;
    errors.absorb(unread);
    let checked = check_pair(&pair, errors);
    let mut library = Library::default();
    let networks = arch.and_then(|arch| evaluate_backbones(&arch, &pair, &mut library, errors));
    let (checked, networks) = (checked?, networks?);
    (errors.count() == 0).then(|| match method {
        Method::Spec => spec(&pair, &checked),
        Method::Build(index) => build(&pair, &library, &networks, index),
    })
}
