//! `pub arch uvit …` becomes a macro that hands its own tokens, spans kept, to the macro of the pair.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use syn::Visibility;

use crate::ast::Arch;

/// Whether an arch is fit to be evaluated.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Soundness {
    /// It has no mistakes of its own.
    Sound,
    /// Its mistakes were reported where it is declared, so pairs pass over it.
    Broken,
}

/// The macro of an arch. A pair calls it with its tokens.
pub fn arch_macro(arch: &Arch, tokens: &TokenStream, soundness: Soundness) -> TokenStream {
    let Arch { attributes, visibility, name, .. } = arch;
    let hidden = hidden_name(name, tokens);
    let (export, visibility) = match visibility {
        Visibility::Public(_) => (quote!(#[macro_export]), quote!(#visibility)),
        Visibility::Inherited => (quote!(), quote!(pub(self))),
        restricted => (quote!(), quote!(#restricted)),
    };
    let tokens = match soundness {
        Soundness::Sound => tokens.clone(),
        Soundness::Broken => TokenStream::new(),
    };
    quote! {
        #[doc(hidden)]
        #export
        #[allow(unused_macros)]
        macro_rules! #hidden {
            ($($pair:tt)*) => { ::duodiff::__instantiate! { { #tokens } $($pair)* } };
        }
        #(#attributes)*
        #[allow(unused_imports)]
        #visibility use #hidden as #name;
    }
}

/// An exported macro lives at the root of its crate, whatever module it stands in: the name depends on what it holds.
fn hidden_name(name: &Ident, tokens: &TokenStream) -> Ident {
    // FNV-1a; the hasher of std may change between compilers.
    let hash =
        tokens.to_string().bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let plain = name.to_string().trim_start_matches("r#").to_string();
    format_ident!("__duodiff_arch_{plain}_{:08x}", hash >> 32, span = Span::call_site())
}
