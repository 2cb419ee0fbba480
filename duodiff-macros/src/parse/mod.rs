//! From tokens to the declarations that they spell, with recovery: an error skips to the next comma or semicolon.

mod arch;
mod expression;
mod pair;
mod statement;

use proc_macro2::{Delimiter, Spacing, Span, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser as _};
use syn::{Attribute, Ident, Result, Token, Visibility};

use crate::ast::{Arch, PairDeclaration};
use crate::report::Errors;

/// One declaration and its own tokens.
pub struct Item {
    /// What was declared.
    pub declaration: Declaration,
    /// As written.
    pub tokens: TokenStream,
    /// What could not be read in it.
    pub errors: Errors,
}

/// The two things that `duodiff!` declares.
pub enum Declaration {
    /// An architecture.
    Arch(Box<Arch>),
    /// A pair of backbones.
    Pair(Box<PairDeclaration>),
}

/// All declarations of one macro call. What cannot even be named is left out, and `errors` says so.
pub fn items(tokens: TokenStream, errors: &mut Errors) -> Vec<Item> {
    let mut items = Vec::new();
    let mut current = Vec::new();
    for token in tokens {
        let ends = matches!(&token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace);
        current.push(token);
        if ends {
            let tokens: TokenStream = current.drain(..).collect();
            items.extend(item(tokens, errors));
        }
    }
    if let Some(token) = current.first() {
        errors.error(token.span(), "a declaration ends with braces -- write pub arch NAME(…) { … } or pub pair NAME { … }");
    } else if items.is_empty() && errors.count() == 0 {
        errors.error(Span::call_site(), "nothing is declared -- write pub arch NAME(…) { … } or pub pair NAME { … }");
    }
    items
}

/// One declaration with its own errors; those of a declaration that cannot be named go to `unnamed`.
fn item(tokens: TokenStream, unnamed: &mut Errors) -> Option<Item> {
    let mut errors = Errors::default();
    let mut found = None;
    let parsed = |input: ParseStream| {
        found = Some(declaration(input, &mut errors)?);
        Ok(())
    };
    // Tokens left unread are an error to syn, and only news if nothing else was.
    if let Err(error) = parsed.parse2(tokens.clone())
        && errors.count() == 0
    {
        errors.note(error);
    }
    match found {
        Some(declaration) => Some(Item { declaration, tokens, errors }),
        None => {
            unnamed.absorb(errors);
            None
        }
    }
}

fn declaration(input: ParseStream, errors: &mut Errors) -> Result<Declaration> {
    let attributes = input.call(Attribute::parse_outer)?;
    let visibility: Visibility = input.parse()?;
    let mut parser = Parser { errors, depth: 0 };
    let kind = word(input, "`arch` or `pair`")?;
    match kind.to_string().as_str() {
        "arch" => parser.arch(input, attributes, visibility).map(|arch| Declaration::Arch(Box::new(arch))),
        "pair" => parser.pair(input, attributes, visibility).map(|pair| Declaration::Pair(Box::new(pair))),
        found => {
            let mend = crate::suggest::mend(found, ["arch", "pair"]);
            Err(syn::Error::new(kind.span(), format!("`{found}` declares nothing{mend}")))
        }
    }
}

/// Where errors go, and how deep the recursion is.
struct Parser<'e> {
    errors: &'e mut Errors,
    depth: usize,
}

impl Parser<'_> {
    /// Entries between commas; an entry that fails is reported and skipped.
    fn list<T>(&mut self, input: ParseStream, mut entry: impl FnMut(&mut Self, ParseStream) -> Result<T>) -> Vec<T> {
        let mut entries = Vec::new();
        while !input.is_empty() {
            match entry(self, input) {
                Ok(_) if !input.is_empty() && !input.peek(Token![,]) => {
                    self.errors.error(input.span(), format!("found {} -- write a comma before it", shown(input)));
                    skip_to_comma(input);
                }
                Ok(entry) => entries.push(entry),
                Err(error) => {
                    self.errors.note(error);
                    skip_to_comma(input);
                }
            }
            // Consumes the comma, if there is one.
            let _: Option<Token![,]> = input.parse().ok();
        }
        entries
    }
}

/// A word, keywords included.
fn word(input: ParseStream, wanted: &str) -> Result<Ident> {
    let found = input.span();
    match input.call(Ident::parse_any) {
        // `_` is a word to syn, but it names nothing.
        Ok(word) if word != "_" => Ok(word),
        _ => Err(syn::Error::new(found, format!("found {} where {wanted} belongs -- write {wanted}", shown(input)))),
    }
}

/// A name that the declaration introduces or uses: no keyword.
fn name(input: ParseStream, wanted: &str) -> Result<Ident> {
    let found = input.span();
    input.parse().map_err(|_| syn::Error::new(found, format!("found {} where {wanted} belongs -- write {wanted}", shown(input))))
}

/// One punctuation mark.
fn mark<T: syn::parse::Parse>(input: ParseStream, wanted: &str) -> Result<T> {
    let found = input.span();
    input.parse().map_err(|_| syn::Error::new(found, format!("found {} -- write `{wanted}` before it", shown(input))))
}

/// The next token as an error shows it: short, whatever stands there.
fn shown(input: ParseStream) -> String {
    let Some((token, rest)) = input.cursor().token_tree() else { return "the end".into() };
    match token {
        TokenTree::Group(group) => match group.delimiter() {
            Delimiter::Parenthesis => "`(…)`".into(),
            Delimiter::Brace => "`{…}`".into(),
            Delimiter::Bracket => "`[…]`".into(),
            Delimiter::None => "a fragment".into(),
        },
        TokenTree::Punct(mark) => {
            let next = rest.punct().filter(|_| mark.spacing() == Spacing::Joint).map(|(next, _)| next.as_char());
            format!("`{}{}`", mark.as_char(), next.map(String::from).unwrap_or_default())
        }
        other => {
            let text = other.to_string();
            let short: String = text.chars().take(40).collect();
            if short.len() < text.len() { format!("`{short}…`") } else { format!("`{text}`") }
        }
    }
}

/// Leaves the rest of an entry unread.
fn skip_to_comma(input: ParseStream) {
    while !input.is_empty() && !input.peek(Token![,]) {
        skip_token(input);
    }
}

fn skip_token(input: ParseStream) {
    let _: Result<TokenTree> = input.parse();
}
