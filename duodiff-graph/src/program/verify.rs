//! Checks a program: defined before use, written once, windows inside their values, shapes as the operators say.

use super::op::Input;
use super::shapes::{self, Mismatch};
use super::{Net, Op, Operand, Origin, Program, Value, ValueId};

/// A program that breaks a rule: always a bug of the stage that made it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// An id without a value.
    #[error("{place} names {value}, which the program does not have")]
    Unknown {
        /// Index and name of the operator, or `outputs`.
        place: String,
        /// The id.
        value: ValueId,
    },
    /// A value is read before any operator wrote it.
    #[error("{place} reads {value} before it is written")]
    Undefined {
        /// Index and name of the operator, or `outputs`.
        place: String,
        /// The value.
        value: ValueId,
    },
    /// A value is written twice, or is an input or a parameter.
    #[error("{op} writes {value}, which has its content already")]
    Rewritten {
        /// Index and name of the operator.
        op: String,
        /// The value.
        value: ValueId,
    },
    /// A window that leaves its value.
    #[error("{op} reads {window} of a value of shape {shape:?} -- a window lies inside tokens [rows, columns]")]
    Window {
        /// Index and name of the operator.
        op: String,
        /// The window.
        window: String,
        /// The shape of the value.
        shape: Vec<usize>,
    },
    /// Shapes that do not fit each other.
    #[error("{op}: {what} is {found}, {wanted} wanted")]
    Shape {
        /// Index and name of the operator.
        op: String,
        /// The field.
        what: &'static str,
        /// What it is.
        found: String,
        /// What would fit.
        wanted: String,
    },
    /// A value for all images that depends on one image.
    #[error("{op} writes {value} once for all images, but reads {reads} of each image")]
    Shared {
        /// Index and name of the operator.
        op: String,
        /// The value written.
        value: ValueId,
        /// The value read.
        reads: ValueId,
    },
    /// An input or a parameter with an impossible shape.
    #[error("{value} has shape {shape:?}, which no {origin} has")]
    Input {
        /// The value.
        value: ValueId,
        /// Its shape.
        shape: Vec<usize>,
        /// What it holds.
        origin: String,
    },
    /// A prelude that reads an image, a label or a step table.
    #[error("the prelude has {0}, which does not depend on the step alone")]
    Prelude(ValueId),
    /// A step table that the prelude does not compute, or in another shape.
    #[error("{value} {shape:?} is step table {index}, for which the prelude computes {computed:?}")]
    Table {
        /// The value of the body.
        value: ValueId,
        /// Its shape.
        shape: Vec<usize>,
        /// Index of the table.
        index: usize,
        /// The shape of the prelude's output of that index.
        computed: Option<Vec<usize>>,
    },
}

impl Program {
    /// Checks the whole program.
    pub fn verify(&self) -> Result<(), VerifyError> {
        for (index, value) in self.values.iter().enumerate() {
            check_input(ValueId::new(index), value)?;
        }
        let mut written: Vec<bool> = self.values.iter().map(|value| !is_written_by_op(value)).collect();
        for (index, op) in self.ops.iter().enumerate() {
            let place = || format!("operator {index} ({})", op.name());
            for input in op.inputs() {
                self.check_read(&input, &written, &place)?;
            }
            self.check_write(op, &mut written, &place)?;
            shapes::check(self, op).map_err(|Mismatch { what, found, wanted }| VerifyError::Shape { op: place(), what, found, wanted })?;
        }
        for output in &self.outputs {
            self.check_read(&Input::Whole(*output), &written, &|| "outputs".into())?;
        }
        Ok(())
    }

    fn check_read(&self, input: &Input, written: &[bool], place: &dyn Fn() -> String) -> Result<(), VerifyError> {
        let id = input.value();
        match written.get(id.index()) {
            None => return Err(VerifyError::Unknown { place: place(), value: id }),
            Some(false) => return Err(VerifyError::Undefined { place: place(), value: id }),
            Some(true) => {}
        }
        match input {
            Input::Window(operand) if !self.contains(operand) => {
                let shape = self.value(id).shape.clone();
                Err(VerifyError::Window { op: place(), window: format!("{id}[{:?}, {:?}]", operand.rows, operand.columns), shape })
            }
            _ => Ok(()),
        }
    }

    /// Whether a window is not empty and lies inside its value.
    fn contains(&self, operand: &Operand) -> bool {
        let &[rows, columns] = &self.value(operand.value).shape[..] else { return false };
        let fits = |range: &std::ops::Range<usize>, length: usize| range.start < range.end && range.end <= length;
        fits(&operand.rows, rows) && fits(&operand.columns, columns)
    }

    fn check_write(&self, op: &Op, written: &mut [bool], place: &dyn Fn() -> String) -> Result<(), VerifyError> {
        let value = op.out();
        match written.get_mut(value.index()) {
            None => return Err(VerifyError::Unknown { place: place(), value }),
            Some(true) => return Err(VerifyError::Rewritten { op: place(), value }),
            Some(written) => *written = true,
        }
        if self.value(value).origin == Origin::Shared {
            let per_image = op.inputs().iter().map(Input::value).find(|id| self.value(*id).is_batched());
            if let Some(reads) = per_image {
                return Err(VerifyError::Shared { op: place(), value, reads });
            }
        }
        Ok(())
    }
}

impl Net {
    /// Checks both programs, and that the step tables of the body are those that the prelude computes.
    pub fn verify(&self) -> Result<(), VerifyError> {
        self.prelude.verify()?;
        self.body.verify()?;
        for (index, value) in self.prelude.values.iter().enumerate() {
            if matches!(value.origin, Origin::Image | Origin::Label | Origin::StepTable(_)) {
                return Err(VerifyError::Prelude(ValueId::new(index)));
            }
        }
        for (id, value) in self.body.values.iter().enumerate() {
            let Origin::StepTable(index) = value.origin else { continue };
            let computed = self.prelude.outputs.get(index).map(|output| self.prelude.value(*output).shape.clone());
            if computed.as_ref() != Some(&value.shape) {
                return Err(VerifyError::Table { value: ValueId::new(id), shape: value.shape.clone(), index, computed });
            }
        }
        Ok(())
    }
}

fn is_written_by_op(value: &Value) -> bool {
    matches!(value.origin, Origin::Op | Origin::Shared)
}

fn check_input(id: ValueId, value: &Value) -> Result<(), VerifyError> {
    let shape = &value.shape;
    let (fits, origin) = match &value.origin {
        Origin::Image => (shape.len() == 3, "image"),
        Origin::Sinusoid => (shape.len() == 2 && shape[0] == 1 && shape[1].is_multiple_of(2), "sinusoid"),
        Origin::Label => (shape.is_empty(), "label"),
        Origin::StepTable(_) => (shape.len() == 2, "step table"),
        Origin::Param { shape: stored, key } => {
            let fits = stored.iter().product::<usize>() == value.elements();
            (fits, if fits { "" } else { key.as_str() })
        }
        Origin::Op | Origin::Shared => (true, ""),
    };
    if fits && !shape.contains(&0) {
        return Ok(());
    }
    Err(VerifyError::Input { value: id, shape: shape.clone(), origin: origin.into() })
}

#[cfg(test)]
mod tests;
