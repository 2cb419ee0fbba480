//! Who writes and who reads each value of a program.

use crate::program::{Linear, Op, Operand, Program, ValueId};

/// The writers and readers of a program as it is; stale after a rewrite.
pub(super) struct Uses {
    writers: Vec<Option<usize>>,
    readers: Vec<Vec<usize>>,
    outputs: Vec<ValueId>,
}

impl Uses {
    pub fn of(program: &Program) -> Self {
        let mut writers = vec![None; program.values.len()];
        let mut readers = vec![Vec::new(); program.values.len()];
        for (index, op) in program.ops.iter().enumerate() {
            writers[op.out().index()] = Some(index);
            for input in op.inputs() {
                readers[input.value().index()].push(index);
            }
        }
        Self { writers, readers, outputs: program.outputs.clone() }
    }

    /// Index of the operator that writes a value.
    pub fn writer(&self, id: ValueId) -> Option<usize> {
        self.writers[id.index()]
    }

    /// Indices of the operators that read a value, once per read.
    pub fn readers(&self, id: ValueId) -> &[usize] {
        &self.readers[id.index()]
    }

    /// Whether a value is an output of the program.
    pub fn is_output(&self, id: ValueId) -> bool {
        self.outputs.contains(&id)
    }

    /// Whether a value is read once, and by an operator.
    pub fn is_read_once(&self, id: ValueId) -> bool {
        self.readers(id).len() == 1 && !self.is_output(id)
    }
}

/// Whether an operand is the whole of its value.
pub(super) fn is_whole(program: &Program, operand: &Operand) -> bool {
    program.value(operand.value).shape == operand.shape()
}

/// The linear whose result goes, whole, into `operand` and nowhere else: its index and the linear itself.
pub(super) fn feeding_linear(program: &Program, uses: &Uses, operand: &Operand) -> Result<(usize, Linear), &'static str> {
    let index = uses.writer(operand.value).ok_or("its input is not computed here")?;
    let Op::Linear(linear) = &program.ops[index] else { return Err("its input does not come from a linear") };
    if !uses.is_read_once(operand.value) {
        return Err("the linear's result is read elsewhere too");
    }
    if !is_whole(program, operand) {
        return Err("it reads a part of the linear's result");
    }
    Ok((index, linear.clone()))
}
