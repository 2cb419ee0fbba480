//! Evaluates an arch for one backbone with its shapes: what does not fit is a problem, what fits becomes a network.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use proc_macro2::Span;

use super::arithmetic;
use super::calls::Called;
use super::frame::Frame;
use super::network::{Callee, Library, Network, Shape, Variable};
use super::value::{Evaluated, Value};
use crate::ast::{Arch, BinaryOperator, Block, Expression, ExpressionKind, Presence, Statement, UnaryOperator};
use crate::report::place;

/// More statements and calls than any network needs: keeps an endless loop from hanging the compiler.
const BUDGET: usize = 20_000;

/// What the pair fixes for every backbone.
#[derive(Clone, Copy)]
pub struct Geometry {
    /// `[channels, height, width]`
    pub image: [usize; 3],
    /// Rows of the label embedding.
    pub classes: Option<u32>,
}

/// A problem and its token.
pub struct Problem {
    /// The token.
    pub span: Span,
    /// What is wrong, and its mend.
    pub message: String,
}

/// Why an expression has no value.
pub enum Fault {
    /// Something it is made of was complained about already.
    Known,
    /// This is news.
    New(Problem),
}

/// A new fault.
pub fn fault<T>(span: Span, message: impl Into<String>) -> Result<T, Fault> {
    Err(Fault::New(Problem { span, message: message.into() }))
}

/// Evaluates one backbone.
pub struct Evaluator<'a> {
    pub(super) arch: &'a Arch,
    pub(super) geometry: Geometry,
    pub(super) library: &'a mut Library,
    pub(super) frame: Frame,
    pub(super) called: HashMap<(usize, Vec<Value>, Option<usize>), Rc<Called>>,
    pub(super) call_depth: usize,
    /// Tokens that the last patchify made.
    pub(super) patches: Option<usize>,
    pub(super) stack: Vec<Evaluated>,
    /// Whether the label was embedded.
    pub label_used: bool,
    constants: HashMap<String, Evaluated>,
    problems: Vec<Problem>,
    places: HashSet<String>,
    budget: usize,
}

impl<'a> Evaluator<'a> {
    /// Ready to evaluate; `constants` are the parameters of the arch.
    pub fn new(arch: &'a Arch, geometry: Geometry, constants: HashMap<String, Evaluated>, library: &'a mut Library) -> Self {
        Self {
            arch,
            geometry,
            library,
            frame: Frame::default(),
            called: HashMap::new(),
            call_depth: 0,
            patches: None,
            stack: Vec::new(),
            label_used: false,
            constants,
            problems: Vec::new(),
            places: HashSet::new(),
            budget: BUDGET,
        }
    }

    /// The network, or every problem on the way to it.
    pub fn run(&mut self, name: &str) -> Result<Network, Vec<Problem>> {
        self.bind_inputs();
        let output = self.block(&self.arch.body);
        let result = self.finish(name, output);
        if let Err(Fault::New(problem)) = &result {
            self.report(problem.span, &problem.message);
        }
        match result {
            Ok(network) if self.problems.is_empty() => Ok(network),
            _ => Err(std::mem::take(&mut self.problems)),
        }
    }

    fn bind_inputs(&mut self) {
        let [channels, height, width] = self.geometry.image;
        let built_in = [("channels", channels), ("height", height), ("width", width)];
        for (name, size) in built_in {
            let value = Value::Integer(i64::try_from(size).unwrap_or(i64::MAX));
            self.constants.insert(name.into(), Evaluated { value, span: self.arch.name.span() });
        }
        let classes = self.geometry.classes.map_or(Value::Absent, |classes| Value::Present(Box::new(Value::Integer(classes.into()))));
        self.constants.insert("classes".into(), Evaluated { value: classes, span: self.arch.name.span() });
        self.frame.open();
        for input in &self.arch.inputs {
            let value = match input.name.to_string().as_str() {
                "image" => {
                    let shape = Shape::Image { channels, height, width };
                    self.frame.emit(Callee::Method("image"), vec![channels, height, width], Vec::new(), shape)
                }
                "t" => Value::Time,
                _ if self.geometry.classes.is_none() => Value::Absent,
                _ if input.presence == Presence::Optional => Value::Present(Box::new(Value::Label)),
                _ => Value::Label,
            };
            self.frame.introduce(&input.name, Evaluated { value, span: input.name.span() });
        }
    }

    fn finish(&mut self, name: &str, output: Value) -> Result<Network, Fault> {
        if !self.problems.is_empty() {
            return Err(Fault::Known);
        }
        let span = self.arch.body.value.as_ref().map_or(self.arch.body.end, |value| value.span);
        let output = self.checked_output(output, span)?;
        if let Some(pushed) = self.stack.pop() {
            return fault(pushed.span, "this value is pushed and never popped -- add a `pop()`, or remove the push");
        }
        self.check_keys()?;
        Ok(Network { name: name.into(), steps: std::mem::take(&mut self.frame.steps), output })
    }

    fn checked_output(&self, output: Value, span: Span) -> Result<(Variable, Shape), Fault> {
        let [channels, height, width] = self.geometry.image;
        match output {
            Value::Poison => Err(Fault::Known),
            Value::Image(variable, c, h, w) if [c, h, w] == self.geometry.image => {
                Ok((variable, Shape::Image { channels: c, height: h, width: w }))
            }
            Value::Image(_, c, h, w) => {
                let mend = if c == 2 * channels && [h, w] == [height, width] {
                    "learned variance is not sampled, make its last linear patch * patch * channels wide"
                } else {
                    "return an image of the pair's shape"
                };
                fault(span, format!("the arch returns an image [{c}, {h}, {w}], the pair's is [{channels}, {height}, {width}] -- {mend}"))
            }
            other => fault(span, format!("the arch returns {} -- return an image, e.g. unpatchify(patches(x), patch)", other.kind())),
        }
    }

    fn check_keys(&self) -> Result<(), Fault> {
        let mut known: HashMap<&str, &[usize]> = HashMap::new();
        for parameter in &self.frame.parameters {
            let shape = *known.entry(&parameter.key).or_insert(&parameter.shape);
            if shape != parameter.shape.as_slice() {
                let key = &parameter.key;
                let message =
                    format!("the parameter `{key}` is {:?} here and {shape:?} before -- give one of the two another key", parameter.shape);
                return fault(parameter.span, message);
            }
        }
        Ok(())
    }

    /// Notes a problem, one per token.
    pub(super) fn report(&mut self, span: Span, message: &str) {
        if self.places.insert(place(span)) {
            self.problems.push(Problem { span, message: message.into() });
        }
    }

    /// Whether anything was complained about.
    pub(super) fn has_problems(&self) -> bool {
        !self.problems.is_empty()
    }

    /// Whether there is time left; if not, that is the last problem.
    pub(super) fn spend(&mut self, span: Span) -> bool {
        if self.budget == 1 {
            self.report(span, "the network has too many operators to be meant -- use fewer repetitions");
        }
        self.budget = self.budget.saturating_sub(1);
        self.budget > 0
    }

    /// The value of a block; its names end with it.
    pub(super) fn block(&mut self, block: &Block) -> Value {
        self.frame.open();
        for statement in &block.statements {
            self.statement(statement);
        }
        let value = block.value.as_ref().map_or(Value::Unit, |value| self.evaluate(value).value);
        self.frame.close();
        value
    }

    fn statement(&mut self, statement: &Statement) {
        match statement {
            Statement::Let { names, value } => self.bind(names, value),
            Statement::Assign { name, value } => {
                let value = self.evaluate(value);
                self.frame.assign(name, value);
            }
            Statement::For { index, start, end, body } => {
                let (Some(first), Some(last)) = (self.integer(start), self.integer(end)) else { return };
                for i in first..last {
                    if !self.spend(index.span()) {
                        return;
                    }
                    self.frame.open();
                    self.frame.introduce(index, Evaluated { value: Value::Integer(i), span: index.span() });
                    self.block(body);
                    self.frame.close();
                }
            }
            Statement::Evaluate(value) => {
                let found = self.evaluate(value);
                if !matches!(found.value, Value::Unit | Value::Poison) {
                    self.report(
                        found.span,
                        &format!("this computes {} and drops it -- bind it with `let`, or remove it", found.value.kind()),
                    );
                }
            }
        }
    }

    fn bind(&mut self, names: &[syn::Ident], value: &Expression) {
        let found = self.evaluate(value);
        if let [name] = names {
            self.frame.introduce(name, found);
            return;
        }
        let parts = match found.value {
            Value::Tuple(parts) if parts.len() == names.len() => parts,
            Value::Poison => vec![Value::Poison; names.len()],
            other => {
                self.report(
                    found.span,
                    &format!("{} names for {} -- split the value into as many parts as names", names.len(), other.kind()),
                );
                vec![Value::Poison; names.len()]
            }
        };
        for (name, value) in names.iter().zip(parts) {
            self.frame.introduce(name, Evaluated { value, span: name.span() });
        }
    }

    fn integer(&mut self, expression: &Expression) -> Option<i64> {
        let found = self.evaluate(expression);
        match found.value.unmarked() {
            Value::Integer(value) => Some(value),
            Value::Poison => None,
            other => {
                self.report(found.span, &format!("{} where an integer belongs -- use an integer", other.kind()));
                None
            }
        }
    }

    /// The value of an expression, and whom to blame for it.
    pub(super) fn evaluate(&mut self, expression: &Expression) -> Evaluated {
        let outcome = match &expression.kind {
            ExpressionKind::Name(name) => return self.named(&name.to_string(), expression.span),
            ExpressionKind::Scalar(scalar) => Ok(Value::from(*scalar)),
            ExpressionKind::Call(call) => self.call(call),
            ExpressionKind::Unary(operator, operand) => self.unary(*operator, operand, expression.span),
            ExpressionKind::Binary(operator, left, right) => self.binary(*operator, left, right, expression.span),
            ExpressionKind::If(condition, then, otherwise) => self.conditional(condition, then, otherwise.as_ref()),
            ExpressionKind::List(items) => self.list(items),
        };
        let value = outcome.unwrap_or_else(|fault| {
            if let Fault::New(problem) = fault {
                self.report(problem.span, &problem.message);
            }
            Value::Poison
        });
        Evaluated { value, span: expression.span }
    }

    /// Blames the giver of a parameter, else the use of the name.
    fn named(&self, name: &str, span: Span) -> Evaluated {
        if let Some(found) = self.frame.find(name) {
            return Evaluated { value: found.value.clone(), span };
        }
        match self.constants.get(name) {
            Some(found) if signature_names(name) => Evaluated { value: found.value.clone(), span },
            Some(found) => found.clone(),
            None => Evaluated { value: Value::Poison, span },
        }
    }

    /// The text of an integer in a checkpoint key.
    pub(super) fn key_text(&self, name: &str, span: Span) -> Result<String, Fault> {
        match self.named(name, span).value.unmarked() {
            Value::Integer(value) => Ok(value.to_string()),
            Value::Poison => Err(Fault::Known),
            other => fault(span, format!("`{{{name}}}` is {} -- use the name of an integer in a key", other.kind())),
        }
    }

    fn list(&mut self, items: &[Expression]) -> Result<Value, Fault> {
        let sizes: Vec<Option<i64>> = items.iter().map(|item| self.integer(item)).collect();
        sizes.into_iter().collect::<Option<_>>().map(Value::List).ok_or(Fault::Known)
    }

    fn unary(&mut self, operator: UnaryOperator, operand: &Expression, span: Span) -> Result<Value, Fault> {
        match operator {
            UnaryOperator::Not => self.condition(operand).map(|value| Value::Bool(!value)),
            UnaryOperator::Negate => {
                let operand = self.evaluate(operand);
                arithmetic::negate(&mut self.frame, operand, span)
            }
        }
    }

    fn binary(&mut self, operator: BinaryOperator, left: &Expression, right: &Expression, span: Span) -> Result<Value, Fault> {
        match operator {
            BinaryOperator::And => Ok(Value::Bool(self.condition(left)? && self.condition(right)?)),
            BinaryOperator::Or => Ok(Value::Bool(self.condition(left)? || self.condition(right)?)),
            _ => {
                let (left, right) = (self.evaluate(left), self.evaluate(right));
                arithmetic::binary(&mut self.frame, operator, left, right, span)
            }
        }
    }

    fn conditional(&mut self, condition: &Expression, then: &Block, otherwise: Option<&Block>) -> Result<Value, Fault> {
        Ok(match (self.condition(condition)?, otherwise) {
            (true, _) => self.block(then),
            (false, Some(block)) => self.block(block),
            (false, None) => Value::Unit,
        })
    }

    /// An option, a comparison, or whether an optional value is there.
    fn condition(&mut self, expression: &Expression) -> Result<bool, Fault> {
        let found = self.evaluate(expression);
        match found.value {
            Value::Bool(value) => Ok(value),
            Value::Present(_) => Ok(true),
            Value::Absent => Ok(false),
            Value::Poison => Err(Fault::Known),
            other => {
                let mend = "test an option, a comparison or an argument declared with `?`";
                fault(found.span, format!("a condition cannot be {} -- {mend}", other.kind()))
            }
        }
    }
}

/// Whether nobody gives this constant in a pair, so that only its use can be blamed.
fn signature_names(name: &str) -> bool {
    super::signature::BUILT_IN.contains(&name)
}
