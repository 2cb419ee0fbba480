//! A small sound arch and pair, and a check of what one change to them makes the macro say, and where.
//!
//! A change marks the tokens that must be blamed: `heads = «5»`.

use proc_macro2::{Delimiter, LineColumn, TokenStream, TokenTree};

use crate::expand::{body, declarations};
use crate::report::Errors;

/// Everything that the cases change.
pub const SOUND: &str = r#"
pub arch tiny(image, t, label?; dim, heads = 2, patch = 2, depth, mlp = 2, bias = false, eps = 1e-5) {
    fn mlp_of(x, width) {
        linear(gelu(linear(x, width) @ "fc1"), columns(x)) @ "fc2"
    }
    fn block(x, skip?) {
        let x = if skip { linear(join_features(x, skip), dim) @ "skip_linear" } else { x };
        let a = attention(linear(norm(x, eps = eps) @ "norm1", 3 * dim, bias = bias) @ "qkv", heads);
        let x = x + linear(a, dim) @ "proj";
        x + mlp_of(norm(x) @ "norm2", mlp * dim) @ "mlp"
    }
    let time = sinusoid(t, dim);
    let extras = if label { join_tokens(embedding(label, dim) @ "label_emb", time) } else { time };
    let x = join_tokens(extras, patchify(image, patch, dim) @ "patch_embed");
    let x = x + param([1, rows(x), dim]) @ "pos_embed";
    for i in 0..depth / 2 {
        x = block(x) @ "in.{i}";
        push(x);
    }
    x = block(x) @ "mid";
    for i in 0..depth / 2 {
        x = block(x, pop()) @ "out.{i}";
    }
    let y = linear(norm(x) @ "norm", patch * patch * channels) @ "head";
    conv3x3(unpatchify(patches(y), patch)) @ "final"
}
pub pair Sound {
    arch: tiny(dim = 8),
    image: [3, 4, 4],
    process: linear_betas(1e-4, 2e-2, 1000),
    time: t / 1000,
    predicts: epsilon,
    classes: 11,
    null_label: 10,
    guidance: 0.5,
    backbones: { shallow: depth = 1, deep: depth = 3 },
    phases: { shallow: 999..=700, deep: 699..=0 },
    history: restart,
}
"#;

/// One change to the sound source, and the messages at its marks, in order.
pub struct Case(pub &'static str, pub &'static str, pub &'static [&'static str]);

/// Line, column and text of what is blamed, and the message.
type Blame = (usize, usize, String, String);

/// Checks all cases and reports every one that fails.
pub fn check(cases: &[Case]) {
    let failures: Vec<String> = cases.iter().filter_map(failure).collect();
    assert!(failures.is_empty(), "{} of {} cases failed\n{}", failures.len(), cases.len(), failures.join("\n"));
}

fn failure(Case(from, to, messages): &Case) -> Option<String> {
    assert_eq!(SOUND.matches(from).count(), 1, "`{from}` stands not once in the sound source");
    let (source, marks) = unmarked(&SOUND.replacen(from, to, 1));
    if marks.len() != messages.len() {
        return Some(format!("as many marks as messages belong in {}", proposed(from, to, &blames(&source))));
    }
    let wanted: Vec<Blame> = marks.into_iter().zip(*messages).map(|((l, c, text), message)| (l, c, text, (*message).into())).collect();
    let found = blames(&source);
    (found != wanted).then(|| format!("{}\n  blames {found:?}", proposed(from, to, &found)))
}

/// The case as it would hold; what is blamed outside the change cannot be marked in it.
fn proposed(from: &str, to: &str, found: &[Blame]) -> String {
    let start = SOUND.find(from).unwrap_or(0);
    let change = unmarked(to).0;
    let source = SOUND.replacen(from, &change, 1);
    let offset = |line: usize, column: usize| {
        let above: usize = source.split_inclusive('\n').take(line - 1).map(str::len).sum();
        let within: usize = source.lines().nth(line - 1).map_or(0, |text| text.chars().take(column).map(char::len_utf8).sum());
        (above + within).checked_sub(start).filter(|at| *at <= change.len())
    };
    let mut marked = change.clone();
    for (line, column, text, _) in found.iter().rev() {
        if let Some(at) = offset(*line, *column) {
            let end = (at + text.len()).min(marked.len());
            marked.insert(end, '»');
            marked.insert(at, '«');
        }
    }
    let messages: Vec<&str> = found.iter().map(|(.., message)| message.as_str()).collect();
    format!("Case({from:?}, {marked:?}, &{messages:?}),")
}

/// The source without marks, and where they were.
fn unmarked(source: &str) -> (String, Vec<(usize, usize, String)>) {
    let (mut text, mut marks) = (String::new(), Vec::new());
    let mut rest = source;
    while let Some((before, after)) = rest.split_once('«') {
        let (marked, after) = after.split_once('»').expect("a closed mark");
        text.push_str(before);
        let line = text.lines().count() + usize::from(text.ends_with('\n'));
        let column = text.rsplit('\n').next().map_or(0, |line| line.chars().count());
        marks.push((line, column, marked.into()));
        text.push_str(marked);
        rest = after;
    }
    (text + rest, marks)
}

/// Everything that the macro says about the source, sorted by place.
pub fn blames(source: &str) -> Vec<Blame> {
    let lines: Vec<&str> = source.lines().collect();
    let mut blames: Vec<Blame> = errors(source.parse().expect("Rust tokens"))
        .into_errors()
        .iter()
        .map(|error| {
            let (LineColumn { line, column }, end) = (error.span().start(), error.span().end());
            let text: String = lines.get(line - 1).map_or(String::new(), |text| {
                let width = if end.line == line { end.column - column } else { usize::MAX };
                text.chars().skip(column).take(width).collect()
            });
            (line, column, text, error.to_string())
        })
        .collect();
    blames.sort();
    blames
}

/// Declares all items, then meets every pair with the last arch, as the compiler would.
pub fn errors(tokens: TokenStream) -> Errors {
    let mut errors = Errors::default();
    declarations(tokens.clone(), &mut errors);
    let mut arch = TokenStream::new();
    let sound = errors.count() == 0;
    for item in items(tokens) {
        let words: Vec<String> = item.clone().into_iter().map(|token| token.to_string()).collect();
        if words.iter().any(|word| word == "arch") {
            arch = if sound { item } else { TokenStream::new() };
        } else {
            // A pair without a readable arch was reported by its declaration already; a second report falls on the same place.
            body(quote::quote!({ #arch } spec { #item }), &mut errors);
        }
    }
    errors
}

/// Tokens up to each pair of braces.
fn items(tokens: TokenStream) -> Vec<TokenStream> {
    let (mut items, mut current) = (Vec::new(), Vec::new());
    for token in tokens {
        let ends = matches!(&token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace);
        current.push(token);
        if ends {
            items.push(current.drain(..).collect());
        }
    }
    items
}

#[test]
fn the_sound_source_is_sound() {
    assert_eq!(blames(SOUND), []);
}
