//! The operators: what each demands of its arguments, and the call of the build API that it becomes.

mod image;
mod layers;
mod tokens;

use proc_macro2::Span;

use super::arithmetic::ABSENT;
use super::evaluate::{Evaluator, Fault, fault};
use super::frame::ParameterUse;
use super::network::{Argument, Callee, Shape, Variable};
use super::value::{Evaluated, Value};
use crate::ast::Call;

/// Sizes beyond this are no sizes of a network; products of two of them still fit into 64 bits.
const LARGEST: usize = 1 << 24;

/// Elements of one tensor: luminal counts them in 32 bits.
const MOST_ELEMENTS: usize = 1 << 31;

/// The evaluated arguments of an operator.
struct Operands<'c> {
    call: &'c Call,
    plain: Vec<Evaluated>,
    options: Vec<(String, Evaluated)>,
}

/// A tokens value: its variable, rows and columns.
type Tokens = (Variable, usize, usize);

impl Evaluator<'_> {
    pub(super) fn call_operator(&mut self, call: &Call, plain: Vec<Evaluated>) -> Result<Value, Fault> {
        let options = call.options.iter().map(|option| (option.name.to_string(), self.evaluate(&option.value))).collect();
        let operands = Operands { call, plain, options };
        if call.name == "push" {
            // Also what is wrong: else its `pop` would be blamed.
            return self.push(operands);
        }
        operands.check()?;
        let value = match call.name.to_string().as_str() {
            "linear" => self.linear(&operands),
            "conv3x3" => self.conv3x3(&operands),
            "norm" => self.norm(&operands),
            "embedding" => self.embedding(&operands),
            "param" => self.param(&operands),
            "attention" => self.attention(&operands),
            "gelu" => self.elementwise("gelu", &operands),
            "gelu_tanh" => self.elementwise("gelu_tanh", &operands),
            "silu" => self.elementwise("silu", &operands),
            "softmax" => self.elementwise("softmax", &operands),
            "broadcast" => broadcast(&operands),
            "join_tokens" => self.join_tokens(&operands),
            "join_features" => self.join_features(&operands),
            "split" => self.split(&operands),
            "sinusoid" => self.sinusoid(&operands),
            "patchify" => self.patchify(&operands),
            "unpatchify" => self.unpatchify(&operands),
            "patches" => self.last_patches(&operands),
            "rows" => operands.tokens(0).map(|(_, rows, _)| counted(rows)),
            "columns" => operands.tokens(0).map(|(_, _, columns)| counted(columns)),
            "pop" => self.pop(call),
            _ => Err(Fault::Known),
        }?;
        check_size(&value, call.name.span())?;
        Ok(value)
    }

    /// Records a call of a free function of the build API.
    fn emit(&mut self, function: &'static str, sizes: Vec<usize>, arguments: Vec<Argument>, shape: Shape) -> Value {
        self.frame.emit(Callee::Operator(function), sizes, arguments, shape)
    }

    /// Notes a parameter that the call reads.
    fn own(&mut self, call: &Call, key: String, shape: Vec<usize>) {
        let span = call.key.as_ref().map_or(call.name.span(), |key| key.span);
        self.frame.parameters.push(ParameterUse { key, shape, span });
    }

    fn push(&mut self, mut operands: Operands) -> Result<Value, Fault> {
        if let Some(pushed) = operands.plain.pop() {
            self.stack.push(Evaluated { value: pushed.value, span: operands.call.name.span() });
        }
        Ok(Value::Unit)
    }

    fn pop(&mut self, call: &Call) -> Result<Value, Fault> {
        match self.stack.pop() {
            Some(pushed) => Ok(pushed.value),
            None if self.has_problems() => Err(Fault::Known),
            None => fault(call.name.span(), "nothing is left to pop -- push as often as you pop"),
        }
    }
}

impl Operands<'_> {
    /// No argument is an error, missing, or left out.
    fn check(&self) -> Result<(), Fault> {
        let options = self.options.iter().map(|(_, option)| option);
        for operand in self.plain.iter().chain(options) {
            match operand.value {
                Value::Poison => return Err(Fault::Known),
                Value::Absent => return fault(operand.span, ABSENT),
                _ => {}
            }
        }
        Ok(())
    }

    fn get(&self, index: usize) -> Result<(Value, Span), Fault> {
        self.plain.get(index).map(|operand| (operand.value.clone().unmarked(), operand.span)).ok_or(Fault::Known)
    }

    fn tokens(&self, index: usize) -> Result<Tokens, Fault> {
        match self.get(index)? {
            (Value::Tokens(variable, rows, columns), _) => Ok((variable, rows, columns)),
            (Value::Time, span) => fault(span, "the time is no tensor yet -- use sinusoid(t, width)"),
            (Value::Label, span) => fault(span, "the label is no tensor yet -- use embedding(label, width) @ \"key\""),
            (Value::Image(..), span) => fault(span, "an image has no tokens yet -- use patchify(image, patch, width) @ \"key\""),
            (Value::Row(..), span) => fault(span, "a broadcast row is only an operand of `+` and `*` -- remove the broadcast here"),
            (other, span) => fault(span, format!("{} where tokens belong -- use tokens", other.kind())),
        }
    }

    fn image(&self, index: usize) -> Result<(Variable, [usize; 3]), Fault> {
        match self.get(index)? {
            (Value::Image(variable, channels, height, width), _) => Ok((variable, [channels, height, width])),
            (Value::Tokens(..), span) => fault(span, "tokens where an image belongs -- use unpatchify(x, patch)"),
            (other, span) => fault(span, format!("{} where an image belongs -- use the input `image`", other.kind())),
        }
    }

    /// A size of a tensor and its token.
    fn size(&self, index: usize, what: &str) -> Result<(usize, Span), Fault> {
        let (value, span) = self.get(index)?;
        let Value::Integer(size) = value else {
            return fault(span, format!("{} where {what} belongs -- use an integer", value.kind()));
        };
        match usize::try_from(size) {
            Ok(size) if (1..=LARGEST).contains(&size) => Ok((size, span)),
            _ => fault(span, format!("{what} cannot be {size} -- use an integer from 1 to {LARGEST}")),
        }
    }

    fn flag(&self, name: &str, default: bool) -> Result<bool, Fault> {
        let Some((_, option)) = self.options.iter().find(|(option, _)| option == name) else { return Ok(default) };
        match option.value.clone().unmarked() {
            Value::Bool(value) => Ok(value),
            other => fault(option.span, format!("{} where an option belongs -- use `true` or `false`", other.kind())),
        }
    }

    fn number(&self, name: &str, default: f64) -> Result<(f64, Span), Fault> {
        let Some((_, option)) = self.options.iter().find(|(option, _)| option == name) else {
            return Ok((default, self.call.name.span()));
        };
        match option.value.clone().unmarked() {
            Value::Float(bits) => Ok((f64::from_bits(bits), option.span)),
            Value::Integer(value) => Ok((value as f64, option.span)),
            other => fault(option.span, format!("{} where a number belongs -- use a number", other.kind())),
        }
    }
}

fn broadcast(operands: &Operands) -> Result<Value, Fault> {
    let (variable, rows, columns) = operands.tokens(0)?;
    if rows != 1 {
        return fault(
            operands.get(0)?.1,
            format!("only a single row is broadcast, found tokens [{rows}, {columns}] -- use it without broadcast"),
        );
    }
    Ok(Value::Row(variable, columns))
}

fn counted(size: usize) -> Value {
    Value::Integer(i64::try_from(size).unwrap_or(i64::MAX))
}

/// Tensors stay below what luminal can count.
fn check_size(value: &Value, span: Span) -> Result<(), Fault> {
    let elements = match value {
        Value::Tokens(_, rows, columns) => rows.saturating_mul(*columns),
        Value::Image(_, channels, height, width) => channels.saturating_mul(*height).saturating_mul(*width),
        _ => 0,
    };
    if elements < MOST_ELEMENTS { Ok(()) } else { fault(span, format!("{} is too large -- use smaller sizes", value.kind())) }
}

/// The divisors of a size, as a mend.
fn divisors(size: usize) -> String {
    let found: Vec<String> = (1..=size.min(4096)).filter(|divisor| size.is_multiple_of(*divisor)).take(12).map(|d| d.to_string()).collect();
    format!("use one of {}", found.join(", "))
}
