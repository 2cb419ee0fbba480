//! `pub pair …` becomes a unit struct and its implementation of `Pair`, whose methods the arch's macro fills.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::quote;

use super::network::{backbone, backbone_name, instances};
use crate::ast::{ArchUse, PairDeclaration};
use crate::check::{Library, Network};

/// What stands in a method of a pair.
#[derive(Clone, PartialEq, Eq)]
pub enum Method {
    /// The pair as data; also reports all errors.
    Spec,
    /// The graph of the backbone whose index is in that variable.
    Build(Ident),
}

/// The type and its implementation. It stands outside the arch's macro, so that it is there even where that macro is not.
pub fn shell(pair: &PairDeclaration, arch: Option<&ArchUse>, tokens: &TokenStream) -> TokenStream {
    let PairDeclaration { attributes, visibility, name, .. } = pair;
    let filled = |method: TokenStream| match arch.map(|arch| &arch.path) {
        Some(path) => quote!(#path! { #method { #tokens } }),
        None => quote!(::core::unreachable!()),
    };
    let (spec, build) = (filled(quote!(spec)), filled(quote!(build backbone)));
    quote! {
        #(#attributes)*
        #[derive(Clone, Copy, Debug, Default)]
        #visibility struct #name;

        impl ::duodiff::Pair for #name {
            fn spec(&self) -> ::duodiff::spec::PairSpec {
                #spec
            }

            ::duodiff::when_compiling! {
                #[allow(unused_variables, non_snake_case, clippy::all, clippy::pedantic)]
                fn build(&self, backbone: usize) -> ::duodiff::build::Built {
                    #build
                }
            }
        }
    }
}

/// The value of `Pair::build`.
pub fn build(pair: &PairDeclaration, library: &Library, networks: &[Network], index: &Ident) -> TokenStream {
    let instances = instances(library);
    let backbones = networks.iter().map(|network| backbone(library, network));
    let arms = networks.iter().enumerate().map(|(number, network)| {
        let (number, name) = (Literal::usize_unsuffixed(number), backbone_name(network));
        quote!(#number => #name(),)
    });
    let unknown = format!("the pair {} has {} backbones, there is no number {{}}", pair.name, networks.len());
    quote! {
        {
            #[allow(unused_imports)]
            use ::duodiff::build::{self, Bias, Builder, Built, Image, Tokens};
            #instances
            #(#backbones)*
            match #index {
                #(#arms)*
                unknown => ::core::panic!(#unknown, unknown),
            }
        }
    }
}
