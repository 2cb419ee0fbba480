//! The way through: parse, check, generate; errors of a stage are collected, and what follows from them is not reported.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::quote;

use crate::ast::{Arch, Field, PairDeclaration};
use crate::check::{Library, check_arch, check_pair, evaluate_backbones};
use crate::generate::{Soundness, arch_macro, hand_over, implementation, stub, unit_struct};
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
    let unit_struct = unit_struct(pair);
    let rest = match &pair.arch {
        Field::Given { value, .. } => {
            // The same tokens are read again behind the arch's macro, which then reports what is wrong with them.
            *errors = Errors::default();
            hand_over(&value.path, tokens)
        }
        Field::Missing | Field::Broken => {
            check_pair(pair, errors);
            stub(&pair.name)
        }
    };
    quote!(#unit_struct #rest)
}

/// `__instantiate! { { arch … } { pair … } }`; the arch is empty if it was refused where it is declared.
pub fn instantiate(tokens: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let output = instance(tokens, &mut errors);
    let errors = errors.render();
    quote!(#errors #output)
}

/// The expansion of a pair with its arch; errors go to `errors`.
pub fn instance(tokens: TokenStream, errors: &mut Errors) -> TokenStream {
    let mut groups = tokens.into_iter().filter_map(|token| match token {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => Some(group.stream()),
        _ => None,
    });
    let (arch, pair) = (groups.next().unwrap_or_default(), groups.next().unwrap_or_default());
    let arch = items(arch, &mut Errors::default()).into_iter().find_map(|item| match item.declaration {
        Declaration::Arch(arch) => Some(arch),
        Declaration::Pair(_) => None,
    });
    let pair = items(pair, errors).into_iter().find_map(|item| match item.declaration {
        Declaration::Pair(pair) => Some((pair, item.errors)),
        Declaration::Arch(_) => None,
    });
    let Some((pair, unread)) = pair else { return TokenStream::new() };
    errors.absorb(unread);
    let checked = check_pair(&pair, errors);
    let mut library = Library::default();
    let networks = arch.and_then(|arch| evaluate_backbones(&arch, &pair, &mut library, errors));
    match (checked, networks, errors.count()) {
        (Some(checked), Some(networks), 0) => implementation(&pair, &checked, &library, &networks),
        _ => stub(&pair.name),
    }
}
