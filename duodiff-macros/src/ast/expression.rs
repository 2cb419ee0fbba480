//! Expressions of the DSL.

use proc_macro2::Span;
use syn::Ident;

use super::Block;

/// An expression and the one token that stands for it in errors.
pub struct Expression {
    /// What it is.
    pub kind: ExpressionKind,
    /// The literal, the name, the called name or the operator.
    pub span: Span,
    /// How deep it is nested: 1 without operands.
    pub height: usize,
}

impl Expression {
    /// An expression, measured.
    pub fn new(kind: ExpressionKind, span: Span) -> Self {
        let tallest = |all: &[Self]| all.iter().map(|operand| operand.height).max().unwrap_or(0);
        let below = match &kind {
            ExpressionKind::Scalar(_) | ExpressionKind::Name(_) => 0,
            ExpressionKind::Call(call) => {
                tallest(&call.arguments).max(call.options.iter().map(|option| option.value.height).max().unwrap_or(0))
            }
            ExpressionKind::Unary(_, operand) => operand.height,
            ExpressionKind::Binary(_, left, right) => left.height.max(right.height),
            ExpressionKind::If(condition, then, otherwise) => {
                condition.height.max(then.height()).max(otherwise.as_ref().map_or(0, Block::height))
            }
            ExpressionKind::List(items) => tallest(items),
        };
        Self { kind, span, height: below + 1 }
    }
}

/// The forms of an expression.
pub enum ExpressionKind {
    /// A literal.
    Scalar(Scalar),
    /// A name.
    Name(Ident),
    /// A call of an operator or a function.
    Call(Call),
    /// `-x` or `!x`.
    Unary(UnaryOperator, Box<Expression>),
    /// `left op right`.
    Binary(BinaryOperator, Box<Expression>, Box<Expression>),
    /// `if condition { … } else { … }`; without `else` it has no value.
    If(Box<Expression>, Block, Option<Block>),
    /// `[a, b, …]`: a shape.
    List(Vec<Expression>),
}

/// A number or an option.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scalar {
    /// `3`
    Integer(i64),
    /// `1e-5`, finite
    Float(f64),
    /// `true`
    Bool(bool),
}

/// `name(arguments, option = value) @ "key"`.
pub struct Call {
    /// What is called.
    pub name: Ident,
    /// By position.
    pub arguments: Vec<Expression>,
    /// By name.
    pub options: Vec<Setting>,
    /// Checkpoint key.
    pub key: Option<Key>,
}

/// `name = value` in a call.
pub struct Setting {
    /// Its name.
    pub name: Ident,
    /// Its value.
    pub value: Expression,
}

/// `@ "in_blocks.{i}"`: text and names of integers, alternating and beginning with text.
pub struct Key {
    /// Texts around the names: one more than there are names.
    pub texts: Vec<String>,
    /// What stands in braces.
    pub names: Vec<String>,
    /// The literal.
    pub span: Span,
}

/// Operators before an operand.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum UnaryOperator {
    /// `-`
    Negate,
    /// `!`
    Not,
}

/// Operators between operands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum BinaryOperator {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Remainder,
    /// `==`
    Equal,
    /// `!=`
    Unequal,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
    /// `&&`
    And,
    /// `||`
    Or,
}

impl Scalar {
    /// What a reader calls this kind of value.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Integer(_) => "an integer",
            Self::Float(_) => "a number",
            Self::Bool(_) => "true or false",
        }
    }
}

impl std::fmt::Display for Scalar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Integer(value) => value.fmt(f),
            Self::Float(value) => write!(f, "{value:?}"),
            Self::Bool(value) => value.fmt(f),
        }
    }
}
