//! Names, calls and keys of an arch, as far as they can be judged without a pair.

use std::collections::HashSet;

use proc_macro2::Span;
use syn::Ident;

use super::signature::{self, BUILT_IN, INPUTS, KeyRule, OPERATORS, PUSH, Signature};
use crate::ast::{Arch, Block, Call, Expression, ExpressionKind, Function, Input, Key, Presence, Statement};
use crate::report::Errors;
use crate::suggest;

/// Checks every name of an arch where it is declared.
pub fn check_arch(arch: &Arch, errors: &mut Errors) {
    check_header(arch, errors);
    let misnamed = errors.count() > 0;
    let mut known = HashSet::new();
    let mut faulty = HashSet::new();
    for function in &arch.functions {
        let name = function.name.to_string();
        let before = errors.count();
        if signature::find(&name).is_some() {
            errors.error(function.name.span(), format!("`{name}` is an operator -- give the fn another name"));
        } else if !known.insert(name.clone()) {
            errors.error(function.name.span(), format!("there is a fn `{name}` already -- give this one another name"));
        }
        check_arguments(function, errors);
        if errors.count() > before {
            faulty.insert(name);
        }
    }
    for (index, function) in arch.functions.iter().enumerate() {
        let mut scope = Scope::new(arch, index, Place::Function, &faulty, errors);
        scope.names.push(function.arguments.iter().map(|argument| argument.name.to_string()).collect());
        scope.block(&function.body);
        if function.body.value.is_none() {
            errors.error(function.body.end, "the fn ends without a value -- end it with an expression without a semicolon");
        }
    }
    let mut scope = Scope::new(arch, arch.functions.len(), Place::Arch, &faulty, errors);
    // A misspelt input was reported; its uses are spelt right.
    let inputs = INPUTS.into_iter().filter(|_| misnamed).map(String::from);
    scope.names.push(arch.inputs.iter().map(|input| input.name.to_string()).chain(inputs).collect());
    scope.block(&arch.body);
    if arch.body.value.is_none() {
        errors.error(arch.body.end, "the arch ends without a value -- end it with the image that the network returns, without a semicolon");
    }
}

fn check_header(arch: &Arch, errors: &mut Errors) {
    let mut known = HashSet::new();
    for input in &arch.inputs {
        let name = input.name.to_string();
        if !INPUTS.contains(&name.as_str()) {
            let mend = suggest::mend(&name, INPUTS);
            errors.error(input.name.span(), format!("`{name}` is no input of a network{mend}"));
        } else if !known.insert(name.clone()) {
            errors.error(input.name.span(), format!("the input `{name}` is named twice -- remove one of the two"));
        } else if input.presence == Presence::Optional && name != "label" {
            errors.error(input.name.span(), format!("`{name}` is always there -- remove the `?`, only `label` may be left out"));
        }
    }
    for parameter in &arch.parameters {
        let name = parameter.name.to_string();
        if BUILT_IN.contains(&name.as_str()) {
            errors.error(parameter.name.span(), format!("`{name}` comes from the pair -- remove the parameter, or name it otherwise"));
        } else if ["process", "time", "match"].contains(&name.as_str()) {
            errors.error(parameter.name.span(), format!("`{name}` is a setting of a backbone -- name the parameter otherwise"));
        } else if !known.insert(name.clone()) {
            errors.error(parameter.name.span(), format!("there is an input or a parameter `{name}` already -- name this one otherwise"));
        }
    }
}

fn check_arguments(function: &Function, errors: &mut Errors) {
    let mut known = HashSet::new();
    for Input { name, .. } in &function.arguments {
        if !known.insert(name.to_string()) {
            errors.error(name.span(), format!("there is an argument `{name}` already -- name this one otherwise"));
        }
    }
    let mut optional = function.arguments.iter().skip_while(|argument| argument.presence == Presence::Required);
    if let Some(late) = optional.find(|argument| argument.presence == Presence::Required) {
        errors.error(late.name.span(), format!("`{}` follows an argument that may be left out -- move it before those", late.name));
    }
}

/// Where a statement stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Arch,
    Function,
}

/// What can be named at one point of an arch.
struct Scope<'a, 'e> {
    arch: &'a Arch,
    /// Functions before this one can be called.
    callable: usize,
    place: Place,
    /// Parameters, then one set per open block.
    names: Vec<HashSet<String>>,
    /// Functions whose arguments were complained about: calls of them are not judged.
    faulty: &'a HashSet<String>,
    errors: &'e mut Errors,
}

impl<'a, 'e> Scope<'a, 'e> {
    fn new(arch: &'a Arch, callable: usize, place: Place, faulty: &'a HashSet<String>, errors: &'e mut Errors) -> Self {
        let constants = arch.parameters.iter().map(|parameter| parameter.name.to_string());
        let names = vec![constants.chain(BUILT_IN.map(String::from)).collect()];
        Self { arch, callable, place, names, faulty, errors }
    }

    fn knows(&self, name: &str) -> bool {
        self.names.iter().any(|names| names.contains(name))
    }

    fn introduce(&mut self, name: &Ident) {
        if let Some(names) = self.names.last_mut() {
            names.insert(name.to_string());
        }
    }

    fn block(&mut self, block: &Block) {
        self.names.push(HashSet::new());
        for statement in &block.statements {
            self.statement(statement);
        }
        if let Some(value) = &block.value {
            self.expression(value);
        }
        self.names.pop();
    }

    fn statement(&mut self, statement: &Statement) {
        match statement {
            Statement::Let { names, value } => {
                self.expression(value);
                names.iter().for_each(|name| self.introduce(name));
            }
            Statement::Assign { name, value } => {
                self.expression(value);
                self.assigned(name);
            }
            Statement::For { index, start, end, body } => {
                self.expression(start);
                self.expression(end);
                self.names.push(HashSet::from([index.to_string()]));
                self.block(body);
                self.names.pop();
            }
            Statement::Evaluate(value) => self.expression(value),
        }
    }

    fn assigned(&mut self, name: &Ident) {
        let text = name.to_string();
        if !self.knows(&text) {
            self.unknown(name.span(), &text);
        } else if !self.names.iter().skip(1).any(|names| names.contains(&text)) {
            self.errors.error(name.span(), format!("`{text}` is fixed for a backbone -- introduce a name of your own with `let`"));
        }
    }

    fn unknown(&mut self, span: Span, name: &str) {
        let is_input = self.place == Place::Function && INPUTS.contains(&name);
        let message = if is_input {
            format!("a fn does not see the input `{name}` -- pass it as an argument")
        } else {
            let mut known: Vec<&str> = self.names.iter().flatten().map(String::as_str).collect();
            // For repeatability: the order of a hash set is arbitrary.
            known.sort_unstable();
            let mend = suggest::near(name, &known).unwrap_or_else(|| " -- introduce it with `let`, or as a parameter of the arch".into());
            format!("nothing is named `{name}` here{mend}")
        };
        self.errors.error(span, message);
    }

    fn expression(&mut self, expression: &Expression) {
        match &expression.kind {
            ExpressionKind::Scalar(_) => {}
            ExpressionKind::Name(name) => {
                let text = name.to_string();
                if !self.knows(&text) {
                    self.unknown(name.span(), &text);
                }
            }
            ExpressionKind::Call(call) => self.call(call),
            ExpressionKind::Unary(_, operand) => self.expression(operand),
            ExpressionKind::Binary(_, left, right) => {
                self.expression(left);
                self.expression(right);
            }
            ExpressionKind::If(condition, then, otherwise) => {
                self.expression(condition);
                self.block(then);
                otherwise.iter().for_each(|block| self.block(block));
            }
            ExpressionKind::List(items) => items.iter().for_each(|item| self.expression(item)),
        }
    }

    fn call(&mut self, call: &Call) {
        let name = call.name.to_string();
        match (signature::find(&name), self.arch.functions.iter().position(|function| function.name == call.name)) {
            (Some(operator), _) => self.operator_call(call, operator),
            (None, Some(index)) if index < self.callable => self.function_call(call, &self.arch.functions[index]),
            (None, Some(_)) => {
                self.errors
                    .error(call.name.span(), format!("the fn `{name}` is not declared yet -- a fn calls only those above it; move it up"));
            }
            (None, None) => {
                let functions: Vec<String> = self.arch.functions.iter().map(|function| function.name.to_string()).collect();
                let known = OPERATORS.iter().map(|operator| operator.name).chain([PUSH.name]).chain(functions.iter().map(String::as_str));
                let known: Vec<&str> = known.collect();
                let mend = suggest::near(&name, &known).unwrap_or_else(|| format!(" -- declare it with fn {name}(…) {{ … }}"));
                self.errors.error(call.name.span(), format!("there is no operator or fn `{name}`{mend}"));
            }
        }
        call.arguments.iter().for_each(|argument| self.expression(argument));
        call.options.iter().for_each(|option| self.expression(&option.value));
        call.key.iter().for_each(|key| self.key(key));
    }

    fn operator_call(&mut self, call: &Call, operator: &Signature) {
        let (name, span) = (operator.name, call.name.span());
        let (fewest, most) = operator.arguments;
        let found = call.arguments.len();
        if self.place == Place::Function && ["push", "pop"].contains(&name) {
            self.errors.error(span, format!("`{name}` belongs in the body of the arch -- pass the tensor as an argument"));
        } else if found < fewest || found > most || (name == "attention" && found == 3) {
            self.errors.error(span, format!("`{name}` does not take {} -- use {}", counted(found), operator.usage));
        }
        for (index, option) in call.options.iter().enumerate() {
            let text = option.name.to_string();
            if !operator.options.contains(&text.as_str()) {
                let mend = suggest::mend(&text, operator.options.iter().copied());
                self.errors.error(option.name.span(), format!("`{name}` has no option `{text}`{mend}"));
            } else if call.options[..index].iter().any(|earlier| earlier.name == option.name) {
                self.errors.error(option.name.span(), format!("the option `{text}` is given twice -- remove one of the two"));
            }
        }
        match (operator.key, &call.key) {
            (KeyRule::Needed, None) => {
                self.errors.error(span, format!("`{name}` has parameters but no checkpoint key -- use {}", operator.usage));
            }
            (KeyRule::Needless, Some(key)) => self.errors.error(key.span, format!("`{name}` has no parameters -- remove the key")),
            _ => {}
        }
    }

    fn function_call(&mut self, call: &Call, function: &Function) {
        let most = function.arguments.len();
        let fewest = function.arguments.iter().filter(|argument| argument.presence == Presence::Required).count();
        let found = call.arguments.len();
        if (found < fewest || found > most) && !self.faulty.contains(&function.name.to_string()) {
            let names: Vec<String> = function.arguments.iter().map(|argument| argument.name.to_string()).collect();
            let message = format!("the fn `{0}` does not take {1} -- use {0}({2})", function.name, counted(found), names.join(", "));
            self.errors.error(call.name.span(), message);
        }
        for option in &call.options {
            self.errors.error(option.name.span(), format!("a fn has no named arguments -- remove `{} =`", option.name));
        }
    }

    fn key(&mut self, key: &Key) {
        for name in key.names.iter().filter(|name| !self.knows(name)).cloned().collect::<Vec<_>>() {
            self.unknown(key.span, &name);
        }
    }
}

fn counted(arguments: usize) -> String {
    match arguments {
        0 => "no argument".into(),
        1 => "1 argument".into(),
        many => format!("{many} arguments"),
    }
}
