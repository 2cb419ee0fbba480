//! `pub pair …` becomes a unit struct and its implementation of `Pair`.

use proc_macro2::{Literal, TokenStream};
use quote::quote;
use syn::{Ident, Path};

use super::network::{backbone, backbone_name, instances};
use super::spec::spec;
use crate::ast::PairDeclaration;
use crate::check::{CheckedPair, Library, Network};

/// The type of a pair. It stands outside the arch's macro, so that it exists even where that macro does not.
pub fn unit_struct(pair: &PairDeclaration) -> TokenStream {
    let PairDeclaration { attributes, visibility, name, .. } = pair;
    quote! {
        #(#attributes)*
        #[derive(Clone, Copy, Debug, Default)]
        #visibility struct #name;
    }
}

/// The call of the arch's macro with the pair's tokens.
pub fn hand_over(path: &Path, tokens: &TokenStream) -> TokenStream {
    quote!(#path! { #tokens })
}

/// The implementation of `Pair`.
pub fn implementation(declared: &PairDeclaration, pair: &CheckedPair, library: &Library, networks: &[Network]) -> TokenStream {
    let name = &declared.name;
    let spec = spec(declared, pair);
    let instances = instances(library);
    let backbones = networks.iter().map(|network| backbone(library, network));
    let arms = networks.iter().enumerate().map(|(index, network)| {
        let (index, name) = (Literal::usize_unsuffixed(index), backbone_name(network));
        quote!(#index => #name(),)
    });
    let unknown = format!("the pair {name} has {} backbones, there is no number {{backbone}}", networks.len());
    quote! {
        impl ::duodiff::Pair for #name {
            fn spec(&self) -> ::duodiff::spec::PairSpec {
                #[allow(unused_imports, clippy::wildcard_imports)]
                use ::duodiff::spec::*;
                #spec
            }

            ::duodiff::when_compiling! {
                #[allow(unused_imports, unused_variables, non_snake_case, clippy::all, clippy::pedantic)]
                fn build(&self, backbone: usize) -> ::duodiff::build::Built {
                    use ::duodiff::build::{self, Bias, Builder, Built, Image, Tokens};
                    #instances
                    #(#backbones)*
                    match backbone {
                        #(#arms)*
                        _ => ::core::panic!(#unknown),
                    }
                }
            }
        }
    }
}

/// An implementation without content, so that errors of the pair are the only ones.
pub fn stub(name: &Ident) -> TokenStream {
    quote! {
        impl ::duodiff::Pair for #name {
            fn spec(&self) -> ::duodiff::spec::PairSpec {
                ::core::unreachable!()
            }

            ::duodiff::when_compiling! {
                fn build(&self, _: usize) -> ::duodiff::build::Built {
                    ::core::unreachable!()
                }
            }
        }
    }
}
