//! Programs of one operator, with parameters and inputs of their own.

use duodiff::graph::cpu::Options;
use duodiff::graph::cpu::bench::Single;
use duodiff::graph::noise::{Noise, Philox};
use duodiff::graph::program::{Op, Operand, Origin, Program, ValueId};
use duodiff::graph::weights::{Tensor, Weights};

use crate::peak::{Work, threads};

/// A program of one operator under construction.
pub struct Operator {
    program: Program,
    weights: Weights,
    batch: usize,
    inputs: Vec<Vec<f32>>,
}

impl Operator {
    /// For `batch` images.
    pub fn new(batch: usize) -> Self {
        let program = Program { name: "operator".into(), values: vec![], ops: vec![], outputs: vec![] };
        Self { program, weights: Weights::default(), batch, inputs: vec![] }
    }

    /// An input, one tensor per image.
    pub fn input(&mut self, shape: &[usize]) -> ValueId {
        let index = self.inputs.len();
        self.inputs.push(normal(index as u64, self.batch * shape.iter().product::<usize>()));
        self.program.add_value(shape, Origin::StepTable(index))
    }

    /// A parameter.
    pub fn param(&mut self, shape: &[usize]) -> ValueId {
        let key = format!("p{}", self.program.values.len());
        let data = normal(1000 + self.program.values.len() as u64, shape.iter().product());
        self.weights.tensors.insert(key.clone(), Tensor { shape: shape.to_vec(), data });
        self.program.add_value(shape, Origin::Param { key, shape: shape.to_vec() })
    }

    /// The value that the operator writes.
    pub fn out(&mut self, shape: &[usize]) -> ValueId {
        self.program.add_value(shape, Origin::Op)
    }

    /// All rows and columns of a value.
    pub fn whole(&self, id: ValueId) -> Operand {
        self.program.whole(id)
    }

    /// Adds an operator that is not the last.
    pub fn push(&mut self, op: Op) {
        self.program.ops.push(op);
    }

    /// The program with its last operator, ready to run, and what it does: operations where those are counted, else bytes.
    pub fn finish(mut self, op: Op) -> (Single, Work) {
        let elements = |id: ValueId| {
            let value = self.program.value(id);
            value.elements() * if value.is_batched() { self.batch } else { 1 }
        };
        let read: usize = op.inputs().iter().map(|input| elements(input.value())).sum();
        let bytes = 4 * (read + elements(op.out())) as u64;
        self.program.outputs.push(op.out());
        self.program.ops.push(op);
        let work = match self.program.flops() * self.batch as u64 {
            0 => Work::Bytes(bytes),
            flops => Work::Flops(flops),
        };
        let options = Options { batch: self.batch, threads: threads(), isa: None };
        let single = Single::new(self.program, self.weights, &self.inputs, &[], options).expect("parameters that fit");
        (single, work)
    }
}

/// Reproducible normal numbers.
fn normal(index: u64, count: usize) -> Vec<f32> {
    let mut numbers = vec![0.0; count];
    Philox { seed: 0 }.fill(index, 0, &mut numbers);
    numbers
}
