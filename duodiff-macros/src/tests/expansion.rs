//! What a sound pair expands to.

use std::time::Instant;

use proc_macro2::TokenStream;

use crate::expand::instantiate;

const UVIT: &str = include_str!("../../../models/uvit.rs");

/// The tokens inside the `duodiff!` of a source.
fn declaration(source: &str) -> TokenStream {
    let file: syn::File = syn::parse_str(source).expect("Rust");
    let declared = file.items.into_iter().find_map(|item| match item {
        syn::Item::Macro(call) => Some(call.mac.tokens),
        _ => None,
    });
    declared.expect("a duodiff! call")
}

/// Both methods of the pair, as if the arch's macro were expanded in them.
fn expanded(pair: &str) -> TokenStream {
    let (arch, pair) = (declaration(UVIT), declaration(pair));
    let spec = instantiate(quote::quote!({ #arch } spec { #pair }));
    let build = instantiate(quote::quote!({ #arch } build backbone { #pair }));
    quote::quote!(fn spec() -> PairSpec { #spec } fn build(backbone: usize) -> Built { #build })
}

fn pretty(tokens: TokenStream) -> String {
    prettyplease::unparse(&syn::parse2(tokens).expect("Rust"))
}

#[test]
fn mnist_expands_as_written_down() {
    let text = pretty(expanded(include_str!("../../../models/mnist.rs")));
    let golden = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tests/mnist.expanded.txt");
    if std::env::var_os("DUODIFF_BLESS").is_some() {
        std::fs::write(&golden, &text).expect("a writable tree");
    }
    let known = std::fs::read_to_string(&golden).expect("the golden expansion");
    assert_eq!(known, text, "DUODIFF_BLESS=1 writes it anew");
}

#[test]
fn expansion_is_the_same_each_time() {
    let text = || expanded(include_str!("../../../models/cifar10.rs")).to_string();
    assert_eq!(text(), text());
}

/// Backbones of different depth share their blocks.
#[test]
fn equal_blocks_are_one_function() {
    let text = pretty(expanded(include_str!("../../../models/cifar10.rs")));
    assert_eq!(text.matches("fn block_").count(), 2, "with and without a skip");
}

#[test]
fn the_largest_pair_expands_fast() {
    let pair = include_str!("../../../models/cifar10.rs").replace("depth = 13", "depth = 21");
    let start = Instant::now();
    let tokens = expanded(&pair);
    let elapsed = start.elapsed();
    println!("Cifar10 with 21 blocks: {} kB in {elapsed:.1?}", tokens.to_string().len() / 1000);
}
