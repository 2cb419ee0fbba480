//! The expansion of each ready pair, as the compiler would ask for it: by 50 ms a user would notice.
//!
//! A proc-macro crate exports nothing but its macros, so its modules are compiled here once more.

#[path = "../duodiff-macros/src/ast/mod.rs"]
mod ast;
#[path = "../duodiff-macros/src/check/mod.rs"]
mod check;
#[path = "../duodiff-macros/src/expand.rs"]
mod expand;
#[path = "../duodiff-macros/src/generate/mod.rs"]
mod generate;
#[path = "../duodiff-macros/src/parse/mod.rs"]
mod parse;
#[expect(dead_code, reason = "a method for tests")]
#[path = "../duodiff-macros/src/report.rs"]
mod report;
#[path = "../duodiff-macros/src/suggest.rs"]
mod suggest;

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use proc_macro2::TokenStream;
use quote::quote;

const UVIT: &str = include_str!("../models/uvit.rs");
const PAIRS: [(&str, &str); 5] = [
    ("Mnist", include_str!("../models/mnist.rs")),
    ("Cifar10", include_str!("../models/cifar10.rs")),
    ("Celeba64", include_str!("../models/celeba64.rs")),
    ("Imagenet64", include_str!("../models/imagenet64.rs")),
    ("Imagenet256", include_str!("../models/imagenet256.rs")),
];

/// The tokens inside the `duodiff!` of a source.
fn declaration(source: &str) -> TokenStream {
    let file: syn::File = syn::parse_str(source).expect("Rust");
    let calls = file.items.into_iter().filter_map(|item| match item {
        syn::Item::Macro(call) => Some(call.mac.tokens),
        _ => None,
    });
    calls.last().expect("a duodiff! call")
}

/// All that the compiler expands for a pair: the declaration, and the arch met in both methods.
fn expansion(arch: &TokenStream, pair: &TokenStream) -> [TokenStream; 3] {
    let spec = expand::instantiate(quote!({ #arch } spec { #pair }));
    let build = expand::instantiate(quote!({ #arch } build backbone { #pair }));
    [expand::declare(pair.clone()), spec, build]
}

fn expansions(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("expand");
    group.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1)).sample_size(20);
    let arch = declaration(UVIT);
    for (name, source) in PAIRS {
        let pair = declaration(source);
        group.bench_function(name, |bencher| bencher.iter(|| black_box(expansion(&arch, &pair))));
    }
    group.finish();
}

criterion_group!(benches, expansions);
criterion_main!(benches);
