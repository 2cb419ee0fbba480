//! What an expression can be while a backbone is evaluated.

use proc_macro2::Span;

use super::network::{Shape, Variable};
use crate::ast::Scalar;

/// A value of the DSL. Tensors are known by variable and shape, everything else by value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Value {
    /// An integer.
    Integer(i64),
    /// A number, as bits.
    Float(u64),
    /// An option.
    Bool(bool),
    /// The input `t`.
    Time,
    /// The input `label`.
    Label,
    /// An optional value that was left out.
    Absent,
    /// An optional value that is there: the same as the value, but it may be tested.
    Present(Box<Value>),
    /// Nothing, the value of `push`.
    Unit,
    /// Something that was already complained about.
    Poison,
    /// `[rows, columns]`
    Tokens(Variable, usize, usize),
    /// One row that goes with any number of rows: `broadcast(x)`.
    Row(Variable, usize),
    /// `[channels, height, width]`
    Image(Variable, usize, usize, usize),
    /// The parts of a split.
    Tuple(Vec<Value>),
    /// A shape in brackets.
    List(Vec<i64>),
}

impl Value {
    /// A tensor of that shape.
    pub fn tensor(variable: Variable, shape: Shape) -> Self {
        match shape {
            Shape::Tokens { rows, columns } => Self::Tokens(variable, rows, columns),
            Shape::Image { channels, height, width } => Self::Image(variable, channels, height, width),
        }
    }

    /// What a reader calls it.
    pub fn kind(&self) -> String {
        match self {
            Self::Integer(value) => format!("the integer {value}"),
            Self::Float(bits) => format!("the number {:?}", f64::from_bits(*bits)),
            Self::Bool(value) => format!("the option {value}"),
            Self::Time => "the time".into(),
            Self::Label => "the label".into(),
            Self::Absent => "nothing".into(),
            Self::Present(value) => value.kind(),
            Self::Unit => "no value".into(),
            Self::Poison => "an error".into(),
            Self::Tokens(_, rows, columns) => format!("tokens [{rows}, {columns}]"),
            Self::Row(_, columns) => format!("a broadcast row [1, {columns}]"),
            Self::Image(_, channels, height, width) => format!("an image [{channels}, {height}, {width}]"),
            Self::Tuple(parts) => format!("{} parts", parts.len()),
            Self::List(_) => "a shape".into(),
        }
    }

    /// Without the mark that it may be tested.
    pub fn unmarked(self) -> Self {
        match self {
            Self::Present(value) => *value,
            value => value,
        }
    }

    /// Replaces every variable, in order.
    pub fn rename(&self, rename: &mut impl FnMut(Variable, Shape) -> Variable) -> Self {
        match self {
            Self::Tokens(variable, rows, columns) => {
                Self::Tokens(rename(*variable, Shape::Tokens { rows: *rows, columns: *columns }), *rows, *columns)
            }
            Self::Row(variable, columns) => Self::Row(rename(*variable, Shape::Tokens { rows: 1, columns: *columns }), *columns),
            Self::Image(variable, channels, height, width) => {
                let shape = Shape::Image { channels: *channels, height: *height, width: *width };
                Self::Image(rename(*variable, shape), *channels, *height, *width)
            }
            Self::Present(value) => Self::Present(Box::new(value.rename(rename))),
            Self::Tuple(parts) => Self::Tuple(parts.iter().map(|part| part.rename(rename)).collect()),
            other => other.clone(),
        }
    }
}

impl From<Scalar> for Value {
    fn from(scalar: Scalar) -> Self {
        match scalar {
            Scalar::Integer(value) => Self::Integer(value),
            Scalar::Float(value) => Self::Float(value.to_bits()),
            Scalar::Bool(value) => Self::Bool(value),
        }
    }
}

/// A value and the token to blame if it does not fit: where a parameter was given, else where it is used.
#[derive(Clone)]
pub struct Evaluated {
    /// The value.
    pub value: Value,
    /// The token.
    pub span: Span,
}
