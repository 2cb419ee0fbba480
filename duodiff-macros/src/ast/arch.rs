//! `arch NAME(inputs; parameters) { functions; statements; value }`.

use proc_macro2::Span;
use syn::{Attribute, Ident, Visibility};

use super::{Expression, Scalar};

/// An architecture: a program over tensors, with sizes and options as parameters.
pub struct Arch {
    /// Doc comments and other attributes.
    pub attributes: Vec<Attribute>,
    /// Who may use it.
    pub visibility: Visibility,
    /// Its name.
    pub name: Ident,
    /// What the network is fed: `image`, `t`, `label`.
    pub inputs: Vec<Input>,
    /// Sizes and options.
    pub parameters: Vec<Parameter>,
    /// Blocks that the body calls.
    pub functions: Vec<Function>,
    /// The network itself; its value is the output image.
    pub body: Block,
}

/// An input of an arch, or an argument of a function.
pub struct Input {
    /// Its name.
    pub name: Ident,
    /// Whether it may be left out (`name?`).
    pub presence: Presence,
}

/// Whether a value may be left out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Always there.
    Required,
    /// Declared with `?`.
    Optional,
}

/// A size or an option of an arch.
pub struct Parameter {
    /// Its name.
    pub name: Ident,
    /// Its value where a pair gives none.
    pub default: Option<(Scalar, Span)>,
}

/// `fn name(arguments) { … }`.
pub struct Function {
    /// Its name.
    pub name: Ident,
    /// Tensors, integers or options.
    pub arguments: Vec<Input>,
    /// What it computes.
    pub body: Block,
}

/// Statements, then the value.
pub struct Block {
    /// In order.
    pub statements: Vec<Statement>,
    /// The last expression, if it is not followed by a semicolon.
    pub value: Option<Box<Expression>>,
    /// The closing brace, where a missing value is reported.
    pub end: Span,
}

impl Block {
    /// How deep the deepest expression in it is nested.
    pub fn height(&self) -> usize {
        let statements = self.statements.iter().map(|statement| match statement {
            Statement::Let { value, .. } | Statement::Assign { value, .. } | Statement::Evaluate(value) => value.height,
            Statement::For { start, end, body, .. } => start.height.max(end.height).max(body.height()) + 1,
        });
        statements.chain(self.value.as_ref().map(|value| value.height)).max().unwrap_or(0)
    }
}

/// One statement.
pub enum Statement {
    /// `let name = value;` or `let (a, b) = value;`
    Let {
        /// One name, or the names of a tuple.
        names: Vec<Ident>,
        /// The right-hand side.
        value: Expression,
    },
    /// `name = value;`
    Assign {
        /// A name that a `let` introduced.
        name: Ident,
        /// The right-hand side.
        value: Expression,
    },
    /// `for index in start..end { … }`
    For {
        /// The running integer.
        index: Ident,
        /// First value.
        start: Box<Expression>,
        /// One past the last value.
        end: Box<Expression>,
        /// What is repeated.
        body: Block,
    },
    /// `expression;`
    Evaluate(Expression),
}
