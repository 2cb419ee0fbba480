//! `+ - * / %` and comparisons, of scalars and of tensors.

use proc_macro2::Span;

use super::evaluate::{Fault, fault};
use super::frame::Frame;
use super::network::{Argument, Callee, Shape, Variable};
use super::value::{Evaluated, Value};
use crate::ast::BinaryOperator;

/// `-x`
pub fn negate(frame: &mut Frame, operand: Evaluated, span: Span) -> Result<Value, Fault> {
    match operand.value.unmarked() {
        Value::Integer(value) => value.checked_neg().map(Value::Integer).ok_or(()).or_else(|()| fault(span, OVERFLOW)),
        Value::Float(bits) => Ok(Value::Float((-f64::from_bits(bits)).to_bits())),
        tensor @ (Value::Tokens(..) | Value::Row(..)) => with_number(frame, "scale", &tensor, -1.0, operand.span),
        Value::Poison => Err(Fault::Known),
        other => fault(operand.span, format!("{} has no sign -- negate a number or tokens", other.kind())),
    }
}

/// `left op right`; `span` is the operator.
pub fn binary(frame: &mut Frame, operator: BinaryOperator, left: Evaluated, right: Evaluated, span: Span) -> Result<Value, Fault> {
    for side in [&left, &right] {
        match side.value {
            Value::Poison => return Err(Fault::Known),
            Value::Absent => return fault(side.span, ABSENT),
            _ => {}
        }
    }
    let (left, right) = (left.value.unmarked(), right.value.unmarked());
    match (number(&left), number(&right)) {
        (Some(_), Some(_)) => scalars(operator, &left, &right, span),
        (Some(a), None) => number_first(frame, operator, a, &right, span),
        (None, Some(b)) => number_last(frame, operator, &left, b, span),
        (None, None) => tensors(frame, operator, &left, &right, span),
    }
}

/// What is said of a value that was left out.
pub const ABSENT: &str = "this value may be left out, and is left out here -- test it first, e.g. if skip { … }";

const OVERFLOW: &str = "this integer does not fit into 64 bits -- use a smaller one";

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Integer(value) => Some(*value as f64),
        Value::Float(bits) => Some(f64::from_bits(*bits)),
        _ => None,
    }
}

fn symbol(operator: BinaryOperator) -> &'static str {
    use BinaryOperator as B;
    match operator {
        B::Add => "+",
        B::Subtract => "-",
        B::Multiply => "*",
        B::Divide => "/",
        B::Remainder => "%",
        B::Equal => "==",
        B::Unequal => "!=",
        B::Less => "<",
        B::AtMost => "<=",
        B::Greater => ">",
        B::AtLeast => ">=",
        B::And => "&&",
        B::Or => "||",
    }
}

fn scalars(operator: BinaryOperator, left: &Value, right: &Value, span: Span) -> Result<Value, Fault> {
    use BinaryOperator as B;
    if matches!(operator, B::Divide | B::Remainder) && number(right) == Some(0.0) {
        return fault(span, "this divides by zero -- use another divisor");
    }
    if let (Value::Integer(a), Value::Integer(b)) = (left, right) {
        let result = match operator {
            B::Add => a.checked_add(*b),
            B::Subtract => a.checked_sub(*b),
            B::Multiply => a.checked_mul(*b),
            B::Divide => a.checked_div(*b),
            B::Remainder => a.checked_rem(*b),
            _ => return Ok(Value::Bool(compare(operator, a.cmp(b)))),
        };
        return result.map_or_else(|| fault(span, OVERFLOW), |value| Ok(Value::Integer(value)));
    }
    let (a, b) = (number(left).unwrap_or(0.0), number(right).unwrap_or(0.0));
    let result = match operator {
        B::Add => a + b,
        B::Subtract => a - b,
        B::Multiply => a * b,
        B::Divide => a / b,
        B::Remainder => a % b,
        _ => return Ok(Value::Bool(compare(operator, a.total_cmp(&b)))),
    };
    if result.is_finite() { Ok(Value::Float(result.to_bits())) } else { fault(span, "this number is too large -- use a smaller one") }
}

fn compare(operator: BinaryOperator, order: std::cmp::Ordering) -> bool {
    use BinaryOperator as B;
    match operator {
        B::Equal => order.is_eq(),
        B::Unequal => order.is_ne(),
        B::Less => order.is_lt(),
        B::AtMost => order.is_le(),
        B::Greater => order.is_gt(),
        _ => order.is_ge(),
    }
}

fn number_first(frame: &mut Frame, operator: BinaryOperator, number: f64, tensor: &Value, span: Span) -> Result<Value, Fault> {
    match operator {
        BinaryOperator::Add => with_number(frame, "offset", tensor, number, span),
        BinaryOperator::Multiply => with_number(frame, "scale", tensor, number, span),
        BinaryOperator::Subtract => {
            let negated = with_number(frame, "scale", tensor, -1.0, span)?;
            with_number(frame, "offset", &negated, number, span)
        }
        _ => refuse(operator, "a number", tensor, span),
    }
}

fn number_last(frame: &mut Frame, operator: BinaryOperator, tensor: &Value, number: f64, span: Span) -> Result<Value, Fault> {
    match operator {
        BinaryOperator::Divide if number == 0.0 => fault(span, "this divides by zero -- use another divisor"),
        BinaryOperator::Add => with_number(frame, "offset", tensor, number, span),
        BinaryOperator::Subtract => with_number(frame, "offset", tensor, -number, span),
        BinaryOperator::Multiply => with_number(frame, "scale", tensor, number, span),
        BinaryOperator::Divide => with_number(frame, "scale", tensor, 1.0 / number, span),
        _ => refuse(operator, &tensor.kind(), &Value::Float(number.to_bits()), span),
    }
}

fn refuse(operator: BinaryOperator, left: &str, right: &Value, span: Span) -> Result<Value, Fault> {
    let symbol = symbol(operator);
    fault(span, format!("`{symbol}` does not take {left} and {} -- use numbers, or `+` and `*` of tokens of one shape", right.kind()))
}

/// Tokens and a number, element by element.
fn with_number(frame: &mut Frame, function: &'static str, tensor: &Value, number: f64, span: Span) -> Result<Value, Fault> {
    let narrow = number as f32;
    if !narrow.is_finite() {
        return fault(span, "this number is too large -- use one that a float32 holds");
    }
    match tensor {
        Value::Tokens(variable, rows, columns) => Ok(elementwise(frame, function, *variable, *rows, *columns, narrow)),
        Value::Row(variable, columns) => match elementwise(frame, function, *variable, 1, *columns, narrow) {
            Value::Tokens(variable, _, columns) => Ok(Value::Row(variable, columns)),
            other => Ok(other),
        },
        other => fault(span, format!("a number does not go with {} -- use tokens", other.kind())),
    }
}

fn elementwise(frame: &mut Frame, function: &'static str, variable: Variable, rows: usize, columns: usize, number: f32) -> Value {
    let arguments = vec![Argument::Tensor(variable), Argument::Float(number.to_bits())];
    frame.emit(Callee::Operator(function), vec![rows, columns], arguments, Shape::Tokens { rows, columns })
}

fn tensors(frame: &mut Frame, operator: BinaryOperator, left: &Value, right: &Value, span: Span) -> Result<Value, Fault> {
    let (whole, row) = match operator {
        BinaryOperator::Add | BinaryOperator::Subtract => ("add", "add_row"),
        BinaryOperator::Multiply => ("mul", "mul_row"),
        _ => return refuse(operator, &left.kind(), right, span),
    };
    let negated;
    let right = if operator == BinaryOperator::Subtract {
        negated = with_number(frame, "scale", right, -1.0, span)?;
        &negated
    } else {
        right
    };
    match (left, right) {
        (Value::Tokens(a, rows, columns), Value::Tokens(b, rows_b, columns_b)) => {
            if (rows, columns) == (rows_b, columns_b) {
                return Ok(pairwise(frame, whole, (*a, *rows, *columns), *b));
            }
            let is_row = columns == columns_b && (*rows == 1 || *rows_b == 1);
            let mend = if is_row { "spread the single row with broadcast(…)" } else { "make both of one shape" };
            fault(span, format!("`{}` of tokens [{rows}, {columns}] and [{rows_b}, {columns_b}] -- {mend}", symbol(operator)))
        }
        (Value::Tokens(a, rows, columns), Value::Row(b, width)) | (Value::Row(b, width), Value::Tokens(a, rows, columns)) => {
            if columns == width {
                return Ok(pairwise(frame, row, (*a, *rows, *columns), *b));
            }
            fault(span, format!("`{}` of tokens [{rows}, {columns}] and a row [1, {width}] -- make both equally wide", symbol(operator)))
        }
        (Value::Row(..), Value::Row(..)) => fault(span, "both sides are broadcast -- combine the rows first, then broadcast the result"),
        _ => refuse(operator, &left.kind(), right, span),
    }
}

fn pairwise(frame: &mut Frame, function: &'static str, (left, rows, columns): (Variable, usize, usize), right: Variable) -> Value {
    let arguments = vec![Argument::Tensor(left), Argument::Tensor(right)];
    frame.emit(Callee::Operator(function), vec![rows, columns], arguments, Shape::Tokens { rows, columns })
}
