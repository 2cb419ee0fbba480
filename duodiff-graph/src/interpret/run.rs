//! A program under way, operator after operator, so that every value can be looked at or exchanged.

use crate::program::{Origin, Program};
use crate::weights::Weights;

use super::operator::execute;
use super::scope::Tensor;
use super::{Inputs, InterpretError, inputs};

/// A program under way. Values are dropped after the last operator that reads them; copies of a run share what both hold.
#[derive(Clone)]
pub struct Run<'a> {
    program: &'a Program,
    /// By value.
    tensors: Vec<Option<Tensor>>,
    /// By value: the index of the last operator that reads it.
    last_reads: Vec<usize>,
    batch: usize,
    /// Operators executed.
    done: usize,
}

impl<'a> Run<'a> {
    /// A run before its first operator. `tables`: what the program reads as step tables, `[B, rows, columns]` each.
    pub fn new(program: &'a Program, inputs: &Inputs, tables: &[Vec<f64>], weights: &Weights) -> Result<Self, InterpretError> {
        program.verify()?;
        let tensors = inputs::load(program, inputs, tables, weights)?;
        Ok(Self { program, tensors, last_reads: last_reads(program), batch: inputs.times.len(), done: 0 })
    }

    /// The same run with other step tables, of the same sizes.
    pub fn with_tables(mut self, tables: Vec<Vec<f64>>) -> Self {
        let tables: Vec<_> = tables.into_iter().map(std::sync::Arc::new).collect();
        for (value, tensor) in self.program.values.iter().zip(&mut self.tensors) {
            if let (Origin::StepTable(index), Some(tensor)) = (&value.origin, tensor) {
                tensor.data.clone_from(&tables[*index]);
            }
        }
        self
    }

    /// Executes the next operator and returns what it wrote, `[B, shape…]`, or `[shape…]` if that is the same for all images; none after
    /// the last.
    pub fn step(&mut self) -> Result<Option<&[f64]>, InterpretError> {
        let Some(op) = self.program.ops.get(self.done) else { return Ok(None) };
        let out = execute(op, self.program, &self.tensors, self.batch)?;
        let written = op.out().index();
        self.tensors[written] = Some(out);
        for input in op.inputs() {
            if self.last_reads[input.value().index()] == self.done {
                self.tensors[input.value().index()] = None;
            }
        }
        self.done += 1;
        Ok(self.tensors[written].as_ref().map(|tensor| &tensor.data[..]))
    }

    /// Puts something else in the place of what the last operator wrote: as many elements.
    ///
    /// # Panics
    /// If there are not as many, or no operator was executed.
    pub fn replace(&mut self, data: Vec<f64>) {
        let written = self.program.ops[self.done - 1].out().index();
        let tensor = self.tensors[written].as_mut().expect("invariant: what was written last is kept");
        assert_eq!(tensor.data.len(), data.len(), "invariant: a value keeps its size");
        tensor.data = data.into();
    }

    /// The program's outputs in order, when all operators are executed.
    pub fn outputs(self) -> Vec<Vec<f64>> {
        let take = |id: &crate::program::ValueId| self.tensors[id.index()].as_ref().expect("invariant: programs write their outputs");
        self.program.outputs.iter().map(|id| take(id).data.to_vec()).collect()
    }
}

/// By value: the index of the last operator that reads it; values that are never read or are outputs stay for ever.
fn last_reads(program: &Program) -> Vec<usize> {
    let mut last = vec![usize::MAX; program.values.len()];
    for (index, op) in program.ops.iter().enumerate() {
        for input in op.inputs() {
            last[input.value().index()] = index;
        }
    }
    for output in &program.outputs {
        last[output.index()] = usize::MAX;
    }
    last
}
