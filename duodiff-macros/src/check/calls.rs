//! Calls: functions of the arch once per combination of sizes, operators by their rules.

use std::rc::Rc;

use super::arithmetic::ABSENT;
use super::evaluate::{Evaluator, Fault, fault};
use super::frame::{Frame, ParameterUse};
use super::network::{Argument, Callee, Instance, InstanceId, Shape, Step, Variable};
use super::value::{Evaluated, Value};
use crate::ast::{Call, Function, Presence};

/// Functions that call functions that call …: a real block has three levels.
const DEEPEST: usize = 12;

/// A function evaluated for one combination of arguments.
pub struct Called {
    instance: InstanceId,
    /// In variables of the function.
    result: Value,
    /// Keys relative to the function's prefix.
    parameters: Vec<ParameterUse>,
}

impl Evaluator<'_> {
    pub(super) fn call(&mut self, call: &Call) -> Result<Value, Fault> {
        if !self.spend(call.name.span()) {
            return Err(Fault::Known);
        }
        let arguments: Vec<Evaluated> = call.arguments.iter().map(|argument| self.evaluate(argument)).collect();
        match self.arch.functions.iter().position(|function| function.name == call.name) {
            Some(index) => self.call_function(index, call, arguments),
            None => self.call_operator(call, arguments),
        }
    }

    /// The key of a call, relative to the prefix of the function that it stands in.
    pub(super) fn key(&self, call: &Call) -> Result<String, Fault> {
        let Some(key) = &call.key else { return fault(call.name.span(), "a checkpoint key is missing -- add @ \"key\"") };
        let mut text = String::new();
        for (index, part) in key.texts.iter().enumerate() {
            text.push_str(part);
            if let Some(name) = key.names.get(index) {
                text.push_str(&self.key_text(name, key.span)?);
            }
        }
        Ok(text)
    }

    fn call_function(&mut self, index: usize, call: &Call, arguments: Vec<Evaluated>) -> Result<Value, Fault> {
        let function = &self.arch.functions[index];
        let bound = bind(function, arguments)?;
        let prefix = if call.key.is_some() { self.key(call)? + "." } else { String::new() };
        let mut passed = Vec::new();
        let local: Vec<Value> = bound
            .iter()
            .map(|value| {
                value.rename(&mut |variable, shape| {
                    passed.push((variable, shape));
                    Variable(u32::try_from(passed.len() - 1).unwrap_or(u32::MAX))
                })
            })
            .collect();
        let memo = (index, local, self.patches);
        let called = match self.called.get(&memo) {
            Some(called) => Rc::clone(called),
            None if self.call_depth == DEEPEST => {
                return fault(call.name.span(), "fns call each other too deeply -- join some of them");
            }
            None => {
                let called = Rc::new(self.instantiate(function, &memo.1, &passed));
                self.called.insert(memo, Rc::clone(&called));
                called
            }
        };
        self.record(&called, prefix, &passed)
    }

    /// Evaluates a function in a frame of its own.
    fn instantiate(&mut self, function: &Function, local: &[Value], passed: &[(Variable, Shape)]) -> Called {
        let outer = std::mem::take(&mut self.frame);
        self.call_depth += 1;
        let arguments: Vec<(Variable, Shape)> = passed.iter().map(|(_, shape)| (self.frame.fresh(), *shape)).collect();
        self.frame.open();
        for (argument, value) in function.arguments.iter().zip(local) {
            self.frame.introduce(&argument.name, Evaluated { value: value.clone(), span: argument.name.span() });
        }
        let result = self.block(&function.body).unmarked();
        self.call_depth -= 1;
        let Frame { steps, parameters, .. } = std::mem::replace(&mut self.frame, outer);
        let mut results = Vec::new();
        result.rename(&mut |variable, shape| {
            results.push((variable, shape));
            variable
        });
        let instance = self.library.intern(Instance { name: function.name.to_string(), arguments, steps, results });
        Called { instance, result, parameters }
    }

    /// The call itself, in the frame of the caller.
    fn record(&mut self, called: &Called, prefix: String, passed: &[(Variable, Shape)]) -> Result<Value, Fault> {
        if called.result == Value::Poison {
            return Err(Fault::Known);
        }
        for parameter in &called.parameters {
            self.frame.parameters.push(ParameterUse { key: format!("{prefix}{}", parameter.key), ..parameter.clone() });
        }
        let tensors = passed.iter().map(|(variable, _)| Argument::Tensor(*variable));
        let arguments = [Argument::Builder, Argument::Prefix(prefix)].into_iter().chain(tensors).collect();
        let mut results = Vec::new();
        let frame = &mut self.frame;
        let value = called.result.rename(&mut |_, shape| {
            let variable = frame.fresh();
            results.push((variable, shape));
            variable
        });
        frame.steps.push(Step { callee: Callee::Instance(called.instance), sizes: Vec::new(), arguments, results });
        Ok(value)
    }
}

/// The values of a function's arguments.
fn bind(function: &Function, given: Vec<Evaluated>) -> Result<Vec<Value>, Fault> {
    if given.iter().any(|argument| argument.value == Value::Poison) {
        return Err(Fault::Known);
    }
    let mut given = given.into_iter();
    let mut bound = Vec::new();
    for argument in &function.arguments {
        let found = given.next();
        bound.push(match (argument.presence, found) {
            (Presence::Optional, None) => Value::Absent,
            (Presence::Optional, Some(Evaluated { value: Value::Absent, .. })) => Value::Absent,
            (Presence::Optional, Some(found)) => Value::Present(Box::new(found.value.unmarked())),
            (Presence::Required, Some(Evaluated { value: Value::Absent, span })) => return fault(span, ABSENT),
            (Presence::Required, Some(found)) => found.value.unmarked(),
            (Presence::Required, None) => return Err(Fault::Known),
        });
    }
    Ok(bound)
}
