//! One function while it is evaluated: its names, its steps, its parameters.

use std::collections::HashMap;

use proc_macro2::Span;
use syn::Ident;

use super::network::{Argument, Callee, Shape, Step, Variable};
use super::value::{Evaluated, Value};

/// The state of one function call, or of the arch's own body.
#[derive(Default)]
pub struct Frame {
    scopes: Vec<HashMap<String, Evaluated>>,
    variables: u32,
    /// What was computed so far.
    pub steps: Vec<Step>,
    /// Parameters used so far, keys relative to the function's prefix.
    pub parameters: Vec<ParameterUse>,
}

/// A parameter of the checkpoint.
#[derive(Clone)]
pub struct ParameterUse {
    /// Its key.
    pub key: String,
    /// Its shape there.
    pub shape: Vec<usize>,
    /// Where the key is written.
    pub span: Span,
}

impl Frame {
    /// A new local variable.
    pub fn fresh(&mut self) -> Variable {
        self.variables += 1;
        Variable(self.variables - 1)
    }

    /// Opens a block.
    pub fn open(&mut self) {
        self.scopes.push(HashMap::new());
    }

    /// Closes a block: its names are gone.
    pub fn close(&mut self) {
        self.scopes.pop();
    }

    /// `let name = …`
    pub fn introduce(&mut self, name: &Ident, value: Evaluated) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.insert(name.to_string(), value);
        }
    }

    /// `name = …`: the innermost one of that name changes.
    pub fn assign(&mut self, name: &Ident, value: Evaluated) {
        let name = name.to_string();
        if let Some(place) = self.scopes.iter_mut().rev().find_map(|scope| scope.get_mut(&name)) {
            *place = value;
        }
    }

    /// The value of a name.
    pub fn find(&self, name: &str) -> Option<&Evaluated> {
        self.scopes.iter().rev().find_map(|scope| scope.get(name))
    }

    /// Records a call with one result.
    pub fn emit(&mut self, callee: Callee, sizes: Vec<usize>, arguments: Vec<Argument>, shape: Shape) -> Value {
        let variable = self.fresh();
        self.steps.push(Step { callee, sizes, arguments, results: vec![(variable, shape)] });
        Value::tensor(variable, shape)
    }
}
