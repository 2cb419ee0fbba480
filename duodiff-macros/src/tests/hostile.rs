//! The macro never panics: cut, doubled, swapped and deeply nested tokens are refused like any other mistake.

use proc_macro2::{Group, TokenStream, TokenTree};

use super::base::{SOUND, errors};

/// SplitMix64: the same mutants on every machine.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((word ^ (word >> 31)) % bound.max(1) as u64).expect("a 64-bit machine")
    }
}

/// All tokens of a tree, flat.
fn tokens_of(stream: TokenStream, into: &mut Vec<TokenTree>) {
    for token in stream {
        into.push(token.clone());
        if let TokenTree::Group(group) = token {
            tokens_of(group.stream(), into);
        }
    }
}

/// Changes the `place`-th token of the tree.
fn mutated(stream: TokenStream, place: &mut usize, how: usize, other: &TokenTree) -> TokenStream {
    let mut output = Vec::new();
    for token in stream {
        let here = *place == 0;
        *place = place.wrapping_sub(1);
        match (here, how) {
            (true, 0) => {}
            (true, 1) => output.extend([token.clone(), token]),
            (true, 2) => output.push(other.clone()),
            (true, _) => output.extend([other.clone(), token]),
            (false, _) => output.push(match token {
                TokenTree::Group(group) => {
                    let mut inner = Group::new(group.delimiter(), mutated(group.stream(), place, how, other));
                    inner.set_span(group.span());
                    TokenTree::Group(inner)
                }
                token => token,
            }),
        }
    }
    output.into_iter().collect()
}

#[test]
fn mutants_are_refused_or_expanded() {
    let sound: TokenStream = SOUND.parse().expect("Rust tokens");
    let mut all = Vec::new();
    tokens_of(sound.clone(), &mut all);
    let strange = "9223372036854775807 1e300 -1 0 'a' \"{\" b\"x\" 'life $ # r#fn _ .. ..= @ ; {} () [] self crate match é";
    tokens_of(strange.parse().expect("Rust tokens"), &mut all);
    let mut numbers = Numbers(7);
    for _ in 0..3000 {
        let mut mutant = sound.clone();
        for _ in 0..=numbers.below(3) {
            let other = all[numbers.below(all.len())].clone();
            let mut place = numbers.below(all.len());
            mutant = mutated(mutant, &mut place, numbers.below(4), &other);
        }
        errors(mutant);
    }
}

#[test]
fn depth_and_repetition_are_bounded() {
    let arch = |body: &str| format!("pub arch a(image, t; n = 9223372036854775807) {{ {body} }} {PAIR}");
    let nested = format!("{}1{}", "(".repeat(300), ")".repeat(300));
    let blocks = format!("{}1{}", "if true { ".repeat(300), " } else { 2 }".repeat(300));
    let chain = "1 + ".repeat(3000) + "1";
    let signs = "!".repeat(3000) + "n";
    let doubling: String = (0..40).map(|i| format!("fn f{}(x) {{ f{i}(f{i}(x)) }} ", i + 1)).collect();
    for body in [
        nested,
        blocks,
        chain,
        signs,
        "for i in 0..n { for j in 0..n { } } image".into(),
        "for i in -n..n { push(image); } image".into(),
        "let x = n * n; let y = -n - n - n; image".into(),
        format!("fn f0(x) {{ x }} {doubling} f40(image)"),
        "let x = param([n, n]) @ \"x\"; image".into(),
        "linear(patchify(image, 1, 16777216) @ \"p\", 16777216) @ \"l\"".into(),
    ] {
        let source = arch(&body);
        assert!(errors(source.parse().expect("Rust tokens")).count() > 0, "{}", &body[..body.len().min(60)]);
    }
}

const PAIR: &str = "pub pair P { arch: a, image: [1, 16384, 16384], process: cosine_betas(10), time: t, predicts: v, \
                    backbones: { x: , y: }, phases: { x: 9..=5, y: 4..=0 } }";
