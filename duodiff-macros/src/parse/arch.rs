//! `arch NAME(inputs; parameters) { … }`.

use syn::parse::{ParseBuffer, ParseStream};
use syn::{Attribute, Result, Token, Visibility, braced, parenthesized};

use super::{Parser, mark, name, shown};
use crate::ast::{Arch, Function, Input, Parameter, Presence};

impl Parser<'_> {
    pub(super) fn arch(&mut self, input: ParseStream, attributes: Vec<Attribute>, visibility: Visibility) -> Result<Arch> {
        let name = name(input, "the name of the arch")?;
        let header = group(input, Delimiter::Parentheses, "(image, t; parameters)")?;
        let (inputs, parameters) = self.header(&header).unwrap_or_else(|error| {
            self.errors.note(error);
            (Vec::new(), Vec::new())
        });
        let content = group(input, Delimiter::Braces, "{ … }")?;
        let (functions, body) = self.arch_body(&content);
        Ok(Arch { attributes, visibility, name, inputs, parameters, functions, body })
    }

    fn header(&mut self, input: ParseStream) -> Result<(Vec<Input>, Vec<Parameter>)> {
        let mut inputs = Vec::new();
        while !input.is_empty() && !input.peek(Token![;]) {
            inputs.push(argument(input, "an input")?);
            if !input.is_empty() && !input.peek(Token![;]) {
                mark::<Token![,]>(input, ",")?;
            }
        }
        if input.is_empty() {
            return Ok((inputs, Vec::new()));
        }
        mark::<Token![;]>(input, ";")?;
        Ok((inputs, self.list(input, |parser, input| parser.parameter(input))))
    }

    fn parameter(&mut self, input: ParseStream) -> Result<Parameter> {
        let name = name(input, "a parameter")?;
        let default = if input.parse::<Option<Token![=]>>()?.is_some() {
            let default = self.scalar(input)?;
            Some((default.value, default.span))
        } else {
            None
        };
        Ok(Parameter { name, default })
    }

    pub(super) fn function(&mut self, input: ParseStream) -> Result<Function> {
        input.parse::<Token![fn]>()?;
        let name = name(input, "the name of the fn")?;
        let header = group(input, Delimiter::Parentheses, "(arguments)")?;
        let arguments = self.list(&header, |_, input| argument(input, "an argument"));
        let content = group(input, Delimiter::Braces, "{ … }")?;
        let body = self.block(&content);
        Ok(Function { name, arguments, body })
    }
}

fn argument(input: ParseStream, wanted: &str) -> Result<Input> {
    let name = name(input, wanted)?;
    let presence = if input.parse::<Option<Token![?]>>()?.is_some() { Presence::Optional } else { Presence::Required };
    Ok(Input { name, presence })
}

/// The two kinds of brackets that hold more than a list of values.
#[derive(Clone, Copy)]
pub(super) enum Delimiter {
    Parentheses,
    Braces,
}

/// The content of a bracketed group.
pub(super) fn group<'a>(input: &ParseBuffer<'a>, delimiter: Delimiter, wanted: &str) -> Result<ParseBuffer<'a>> {
    let open = |input: &ParseBuffer<'a>| -> Result<ParseBuffer<'a>> {
        let content;
        match delimiter {
            Delimiter::Parentheses => drop(parenthesized!(content in input)),
            Delimiter::Braces => drop(braced!(content in input)),
        }
        Ok(content)
    };
    let found = input.span();
    open(input).map_err(|_| syn::Error::new(found, format!("found {} -- write {wanted} here", shown(input))))
}
