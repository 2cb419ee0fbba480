//! The pair as data: a `PairSpec` expression.

use proc_macro2::{Literal, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::{Attribute, Expr, ExprLit, Lit, Meta};

use crate::ast::{PairDeclaration, TimeUse};
use crate::check::{Backbone, CheckedPair, Phase, Process};

/// The value of `Pair::spec`.
pub fn spec(declared: &PairDeclaration, pair: &CheckedPair) -> TokenStream {
    let (name, doc) = (declared.name.to_string(), documentation(&declared.attributes));
    let [channels, height, width] = pair.image.map(Literal::usize_unsuffixed);
    let (process, time) = (process(pair.process), time(pair.time));
    let (predicts, history) = (format_ident!("{}", pair.predicts), format_ident!("{}", pair.history));
    let classes = option(pair.classes.map(|(count, null)| {
        let (count, null) = (Literal::u32_unsuffixed(count), option(null.map(|null| Literal::u32_unsuffixed(null).into_token_stream())));
        quote!(Classes { count: #count, null: #null })
    }));
    let guidance = option(pair.guidance.map(|scale| {
        let scale = number(scale);
        quote!(Guidance { scale: #scale })
    }));
    let backbones = pair.backbones.iter().map(backbone);
    let phases = pair.phases.iter().map(phase);
    quote! {
        {
            #[allow(unused_imports, clippy::wildcard_imports)]
            use ::duodiff::spec::*;
            PairSpec {
            name: #name.into(),
            doc: #doc.into(),
            image: ImageShape { channels: #channels, height: #height, width: #width },
            process: #process,
            time: #time,
            predicts: Prediction::#predicts,
            classes: #classes,
            guidance: #guidance,
            backbones: ::std::vec![#(#backbones),*],
            phases: ::std::vec![#(#phases),*],
            history: History::#history,
            }
        }
    }
}

/// The doc comment, without the space that every line begins with.
fn documentation(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    });
    lines.map(|line| line.strip_prefix(' ').unwrap_or(&line).to_string()).collect::<Vec<_>>().join("\n")
}

fn backbone(backbone: &Backbone) -> TokenStream {
    let name = &backbone.name;
    let (process, time) = (option(backbone.process.map(process)), option(backbone.time.map(time)));
    quote!(BackboneSpec { name: #name.into(), process: #process, time: #time })
}

fn phase(phase: &Phase) -> TokenStream {
    let backbone = Literal::usize_unsuffixed(phase.backbone);
    let (first, last) = (Literal::u32_unsuffixed(phase.first), Literal::u32_unsuffixed(phase.last));
    quote!(Phase { backbone: #backbone, first: #first, last: #last })
}

fn process(process: Process) -> TokenStream {
    let (rule, steps) = (format_ident!("{}", process.betas), Literal::u32_unsuffixed(process.steps));
    let ends = process.ends.map(|(first, last)| {
        let (first, last) = (number(first), number(last));
        quote!({ first: #first, last: #last })
    });
    quote!(Process { betas: Betas::#rule #ends, steps: #steps })
}

fn time(time: TimeUse) -> TokenStream {
    let (times, over, plus) = (number(time.times), number(time.over), number(time.plus));
    quote!(TimeMap { times: #times, over: #over, plus: #plus })
}

/// A finite number as a literal whose type follows from its place.
fn number(number: f64) -> TokenStream {
    let literal = Literal::f64_unsuffixed(number.abs());
    if number.is_sign_negative() { quote!(-#literal) } else { quote!(#literal) }
}

fn option(value: Option<TokenStream>) -> TokenStream {
    match value {
        Some(value) => quote!(::core::option::Option::Some(#value)),
        None => quote!(::core::option::Option::None),
    }
}
