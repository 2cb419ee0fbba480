//! Blocks and statements.

use syn::parse::ParseStream;
use syn::{Ident, Result, Token, parenthesized, token};

use super::arch::{Delimiter, group};
use super::{Parser, mark, name, shown, skip_token};
use crate::ast::{Block, Expression, ExpressionKind, Function, Statement};

impl Parser<'_> {
    /// The body of an arch: functions and statements in any order, then the value.
    pub(super) fn arch_body(&mut self, input: ParseStream) -> (Vec<Function>, Block) {
        let mut functions = Vec::new();
        let mut block = Block { statements: Vec::new(), value: None, end: input.span() };
        while !input.is_empty() {
            if input.peek(Token![fn]) {
                match self.function(input) {
                    Ok(function) => functions.push(function),
                    Err(error) => self.recover(input, error),
                }
            } else {
                self.statement_into(input, &mut block);
            }
        }
        block.end = input.span();
        (functions, block)
    }

    /// The content of braces.
    pub(super) fn block(&mut self, input: ParseStream) -> Block {
        let mut block = Block { statements: Vec::new(), value: None, end: input.span() };
        while !input.is_empty() {
            self.statement_into(input, &mut block);
        }
        block.end = input.span();
        block
    }

    fn statement_into(&mut self, input: ParseStream, block: &mut Block) {
        match self.statement(input) {
            Ok(Parsed::Statement(statement)) => block.statements.push(statement),
            Ok(Parsed::Value(value)) => block.value = Some(Box::new(value)),
            Err(error) => self.recover(input, error),
        }
    }

    /// Notes the error and leaves the rest of the statement unread.
    fn recover(&mut self, input: ParseStream, error: syn::Error) {
        self.errors.note(error);
        while !input.is_empty() {
            if input.parse::<Token![;]>().is_ok() {
                return;
            }
            let ends = input.peek(token::Brace);
            skip_token(input);
            if ends && !input.peek(Token![else]) && !input.peek(Token![;]) && !input.peek(Token![@]) {
                return;
            }
        }
    }

    fn statement(&mut self, input: ParseStream) -> Result<Parsed> {
        if input.peek(Token![let]) {
            self.let_statement(input).map(Parsed::Statement)
        } else if input.peek(Token![for]) {
            self.for_statement(input).map(Parsed::Statement)
        } else if input.peek(Token![fn]) {
            Err(input.error("a fn stands directly in the arch -- move it out of this block"))
        } else if input.peek(Token![return]) {
            Err(input.error("the last expression is the value -- remove `return` and the semicolon behind its value"))
        } else if input.peek(Ident) && input.peek2(Token![=]) && !input.peek2(Token![==]) {
            let name: Ident = input.parse()?;
            input.parse::<Token![=]>()?;
            let value = self.expression(input)?;
            mark::<Token![;]>(input, ";")?;
            Ok(Parsed::Statement(Statement::Assign { name, value }))
        } else {
            self.expression_statement(input)
        }
    }

    fn let_statement(&mut self, input: ParseStream) -> Result<Statement> {
        input.parse::<Token![let]>()?;
        // Rust's habit; every name can be assigned to here.
        input.parse::<Option<Token![mut]>>()?;
        let names = if input.peek(token::Paren) {
            let content;
            parenthesized!(content in input);
            if content.is_empty() {
                return Err(content.error("no name is introduced -- write let (a, b) = …"));
            }
            let names = self.list(&content, |_, input| name(input, "a name"));
            if names.is_empty() { vec![Ident::new("broken", content.span())] } else { names }
        } else {
            vec![name(input, "a name")?]
        };
        mark::<Token![=]>(input, "=")?;
        let value = self.expression(input)?;
        mark::<Token![;]>(input, ";")?;
        Ok(Statement::Let { names, value })
    }

    fn for_statement(&mut self, input: ParseStream) -> Result<Statement> {
        input.parse::<Token![for]>()?;
        let index = name(input, "a name")?;
        mark::<Token![in]>(input, "in")?;
        let start = Box::new(self.expression(input)?);
        if input.peek(Token![..=]) {
            return Err(input.error("the range of a for leaves out its end -- use `..`"));
        }
        mark::<Token![..]>(input, "..")?;
        let end = Box::new(self.expression(input)?);
        let content = group(input, Delimiter::Braces, "{ … }")?;
        let body = self.nested(&content)?;
        Ok(Statement::For { index, start, end, body })
    }

    fn expression_statement(&mut self, input: ParseStream) -> Result<Parsed> {
        let expression = self.expression(input)?;
        if input.parse::<Option<Token![;]>>()?.is_some() {
            return Ok(Parsed::Statement(Statement::Evaluate(expression)));
        }
        if input.is_empty() {
            return Ok(Parsed::Value(expression));
        }
        if matches!(expression.kind, ExpressionKind::If(..)) {
            return Ok(Parsed::Statement(Statement::Evaluate(expression)));
        }
        Err(syn::Error::new(input.span(), format!("found {} -- write `;` before it", shown(input))))
    }
}

/// A statement, or the value that ends a block.
enum Parsed {
    Statement(Statement),
    Value(Expression),
}
