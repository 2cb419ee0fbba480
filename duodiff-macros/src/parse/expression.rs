//! Expressions, by precedence climbing. Nesting is bounded, so that no input exhausts the stack here or later.

use proc_macro2::Span;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Ident, Lit, LitStr, Result, Token, bracketed, parenthesized, token};

use super::arch::{Delimiter, group};
use super::{Parser, mark, shown};
use crate::ast::{BinaryOperator, Block, Call, Expression, ExpressionKind, Key, Scalar, Setting, Spanned, UnaryOperator};

/// Deeper expressions are refused. Real ones stay below ten.
const DEEPEST: usize = 40;

impl Parser<'_> {
    pub(super) fn expression(&mut self, input: ParseStream) -> Result<Expression> {
        self.binary(input, 0)
    }

    /// A block inside an expression or a statement.
    pub(super) fn nested(&mut self, input: ParseStream) -> Result<Block> {
        self.deeper(input.span(), |parser| Ok(parser.block(input)))
    }

    fn deeper<T>(&mut self, span: Span, parse: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.depth >= DEEPEST {
            return Err(too_deep(span));
        }
        self.depth += 1;
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    fn binary(&mut self, input: ParseStream, weakest: u8) -> Result<Expression> {
        let mut left = self.deeper(input.span(), |parser| parser.unary(input))?;
        let mut first = true;
        while let Some((operator, strength)) = binary_operator(input).filter(|(_, strength)| *strength >= weakest) {
            let span = input.span();
            if strength == COMPARISON && !std::mem::take(&mut first) && is_comparison(&left) {
                return Err(syn::Error::new(span, "comparisons do not chain -- join them with `&&`"));
            }
            skip_operator(input, operator)?;
            let right = self.deeper(input.span(), |parser| parser.binary(input, strength + 1))?;
            left = expression(ExpressionKind::Binary(operator, Box::new(left), Box::new(right)), span)?;
        }
        Ok(left)
    }

    fn unary(&mut self, input: ParseStream) -> Result<Expression> {
        let operator = if input.peek(Token![-]) {
            input.parse::<Token![-]>()?;
            UnaryOperator::Negate
        } else if input.peek(Token![!]) {
            input.parse::<Token![!]>()?;
            UnaryOperator::Not
        } else {
            return self.primary(input);
        };
        let span = input.span();
        let operand = self.deeper(span, |parser| parser.unary(input))?;
        expression(ExpressionKind::Unary(operator, Box::new(operand)), span)
    }

    fn primary(&mut self, input: ParseStream) -> Result<Expression> {
        let span = input.span();
        let found = if input.peek(token::Paren) {
            let content;
            parenthesized!(content in input);
            let inner = self.expression(&content)?;
            if !content.is_empty() {
                return Err(syn::Error::new(content.span(), format!("found {} -- write `)` before it", shown(&content))));
            }
            inner
        } else if input.peek(token::Bracket) {
            let content;
            bracketed!(content in input);
            let items = self.list(&content, |parser, input| parser.expression(input));
            expression(ExpressionKind::List(items), span)?
        } else if input.peek(Token![if]) {
            self.conditional(input)?
        } else if input.peek(Lit) {
            let scalar = self.scalar(input)?;
            expression(ExpressionKind::Scalar(scalar.value), scalar.span)?
        } else if input.peek(Ident) {
            let name: Ident = input.parse()?;
            if input.peek(token::Paren) { self.call(input, name)? } else { expression(ExpressionKind::Name(name), span)? }
        } else {
            return Err(syn::Error::new(span, format!("found {} where a value belongs -- write a name, a number or a call", shown(input))));
        };
        if input.peek(Token![@]) {
            return Err(input.error("a checkpoint key belongs to a call -- write it directly behind the call's `)`"));
        }
        Ok(found)
    }

    fn call(&mut self, input: ParseStream, name: Ident) -> Result<Expression> {
        let span = name.span();
        let content;
        parenthesized!(content in input);
        let (mut arguments, mut options) = (Vec::new(), Vec::new());
        self.list(&content, |parser, input| {
            if input.peek(Ident::peek_any) && input.peek2(Token![=]) && !input.peek2(Token![==]) {
                let name = input.call(Ident::parse_any)?;
                input.parse::<Token![=]>()?;
                options.push(Setting { name, value: parser.expression(input)? });
            } else if options.is_empty() {
                arguments.push(parser.expression(input)?);
            } else {
                return Err(input.error("a plain argument follows a named one -- move it before the named ones"));
            }
            Ok(())
        });
        let key = if input.peek(Token![@]) {
            input.parse::<Token![@]>()?;
            Some(key(input)?)
        } else {
            None
        };
        expression(ExpressionKind::Call(Call { name, arguments, options, key }), span)
    }

    fn conditional(&mut self, input: ParseStream) -> Result<Expression> {
        let span = input.span();
        input.parse::<Token![if]>()?;
        let condition = self.expression(input)?;
        let content = group(input, Delimiter::Braces, "{ … }")?;
        let then = self.nested(&content)?;
        let otherwise = if input.parse::<Option<Token![else]>>()?.is_some() {
            Some(if input.peek(Token![if]) {
                let end = input.span();
                let value = self.deeper(end, |parser| parser.conditional(input))?;
                Block { statements: Vec::new(), value: Some(Box::new(value)), end }
            } else {
                let content = group(input, Delimiter::Braces, "{ … }")?;
                self.nested(&content)?
            })
        } else {
            None
        };
        expression(ExpressionKind::If(Box::new(condition), then, otherwise), span)
    }

    /// A literal number or option, with its sign.
    pub(super) fn scalar(&mut self, input: ParseStream) -> Result<Spanned<Scalar>> {
        let negative = input.parse::<Option<Token![-]>>()?.is_some();
        let span = input.span();
        let refuse = |message: String| Err(syn::Error::new(span, message));
        let value = match input.parse::<Lit>() {
            Ok(Lit::Int(literal)) => match literal.base10_parse::<i64>() {
                Ok(value) if literal.suffix().is_empty() => Scalar::Integer(value),
                Ok(_) => return refuse(format!("`{literal}` carries a type -- remove `{}`", literal.suffix())),
                Err(_) => return refuse("this integer is too large -- use one below 2^63".into()),
            },
            Ok(Lit::Float(literal)) => match literal.base10_parse::<f64>() {
                Ok(value) if (value as f32).is_finite() && literal.suffix().is_empty() => Scalar::Float(value),
                Ok(_) if !literal.suffix().is_empty() => {
                    return refuse(format!("`{literal}` carries a type -- remove `{}`", literal.suffix()));
                }
                _ => return refuse("this number is too large -- use one that a float32 holds".into()),
            },
            Ok(Lit::Bool(literal)) if !negative => Scalar::Bool(literal.value),
            Ok(Lit::Str(_)) => return refuse("a string is only a checkpoint key -- write it behind `@`".into()),
            _ => return refuse("this is no value -- write a number, `true` or `false`".into()),
        };
        let value = match value {
            Scalar::Integer(value) if negative => Scalar::Integer(-value),
            Scalar::Float(value) if negative => Scalar::Float(-value),
            value => value,
        };
        Ok(Spanned { value, span })
    }
}

const COMPARISON: u8 = 3;

fn is_comparison(expression: &Expression) -> bool {
    use BinaryOperator as B;
    let ExpressionKind::Binary(operator, ..) = expression.kind else { return false };
    matches!(operator, B::Equal | B::Unequal | B::Less | B::AtMost | B::Greater | B::AtLeast)
}

/// The operator that comes next, and how strongly it binds.
fn binary_operator(input: ParseStream) -> Option<(BinaryOperator, u8)> {
    use BinaryOperator as B;
    let found = if input.peek(Token![||]) {
        (B::Or, 1)
    } else if input.peek(Token![&&]) {
        (B::And, 2)
    } else if input.peek(Token![==]) {
        (B::Equal, COMPARISON)
    } else if input.peek(Token![!=]) {
        (B::Unequal, COMPARISON)
    } else if input.peek(Token![<=]) {
        (B::AtMost, COMPARISON)
    } else if input.peek(Token![>=]) {
        (B::AtLeast, COMPARISON)
    } else if input.peek(Token![<]) {
        (B::Less, COMPARISON)
    } else if input.peek(Token![>]) {
        (B::Greater, COMPARISON)
    } else if input.peek(Token![+]) {
        (B::Add, 4)
    } else if input.peek(Token![-]) {
        (B::Subtract, 4)
    } else if input.peek(Token![*]) {
        (B::Multiply, 5)
    } else if input.peek(Token![/]) {
        (B::Divide, 5)
    } else if input.peek(Token![%]) {
        (B::Remainder, 5)
    } else {
        return None;
    };
    Some(found)
}

/// Reads past the operator that [`binary_operator`] saw.
fn skip_operator(input: ParseStream, operator: BinaryOperator) -> Result<()> {
    use BinaryOperator as B;
    match operator {
        B::Or => mark::<Token![||]>(input, "||").map(drop),
        B::And => mark::<Token![&&]>(input, "&&").map(drop),
        B::Equal => mark::<Token![==]>(input, "==").map(drop),
        B::Unequal => mark::<Token![!=]>(input, "!=").map(drop),
        B::AtMost => mark::<Token![<=]>(input, "<=").map(drop),
        B::AtLeast => mark::<Token![>=]>(input, ">=").map(drop),
        B::Less => mark::<Token![<]>(input, "<").map(drop),
        B::Greater => mark::<Token![>]>(input, ">").map(drop),
        B::Add => mark::<Token![+]>(input, "+").map(drop),
        B::Subtract => mark::<Token![-]>(input, "-").map(drop),
        B::Multiply => mark::<Token![*]>(input, "*").map(drop),
        B::Divide => mark::<Token![/]>(input, "/").map(drop),
        B::Remainder => mark::<Token![%]>(input, "%").map(drop),
    }
}

fn expression(kind: ExpressionKind, span: Span) -> Result<Expression> {
    let expression = Expression::new(kind, span);
    if expression.height > DEEPEST { Err(too_deep(span)) } else { Ok(expression) }
}

fn too_deep(span: Span) -> syn::Error {
    syn::Error::new(span, "this is nested too deeply -- name a part of it with `let`")
}

/// The string behind `@`.
fn key(input: ParseStream) -> Result<Key> {
    let span = input.span();
    let Ok(literal) = input.parse::<LitStr>() else {
        return Err(syn::Error::new(
            span,
            format!("found {} where a checkpoint key belongs -- write a string, e.g. \"mlp.fc1\"", shown(input)),
        ));
    };
    let refuse = |what: &str| Err(syn::Error::new(span, what));
    let text = literal.value();
    let (mut texts, mut names) = (vec![String::new()], Vec::new());
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else {
            return refuse("the key opens a brace that it never closes -- write `}` behind the name");
        };
        texts.last_mut().expect("invariant: one text more than names").push_str(before);
        names.push(name.trim().to_string());
        texts.push(String::new());
        rest = after;
    }
    texts.last_mut().expect("invariant: one text more than names").push_str(rest);
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if text.is_empty() {
        return refuse("the key is empty -- write the parameter's name in the checkpoint");
    }
    if !texts.iter().all(|text| text.chars().all(plain)) || names.iter().any(String::is_empty) {
        return refuse("a key has letters, digits, `_`, `-`, dots and {names} -- remove anything else");
    }
    if text.starts_with('.') || text.ends_with('.') || text.contains("..") {
        return refuse("the key has an empty part -- write one dot between two names, none at the ends");
    }
    Ok(Key { texts, names, span })
}
