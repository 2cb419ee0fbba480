//! An executor against a reference, operator by operator, on the program that the executor runs.
//!
//! Each output is compared twice: with the reference's value, which shows the error so far; and with what the reference computes from the
//! executor's own inputs, which is the operator's own error and says whose fault it is.

mod bound;
mod comparison;
mod difference;
mod interpreted;
mod place;
mod recorded;
mod report;
#[cfg(test)]
mod tests;

use crate::executor::{ExecutorError, Traced};
use crate::interpret::InterpretError;
use crate::program::{Part, Program};
use crate::weights::Weights;

pub use bound::bound;
pub use difference::Difference;
pub use report::{Report, Row};

/// What a backbone is fed.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// `[n, C, H, W]`.
    pub x: &'a [f32],
    /// `[n]`, training timesteps as the process counts them.
    pub times: &'a [f32],
    /// `[n]`, for conditional pairs only.
    pub labels: Option<&'a [u32]>,
}

/// What is taken to be right.
pub enum Reference<'a> {
    /// The float64 interpreter with these weights.
    Interpreter(&'a Weights),
    /// An executor whose programs are the same, with its index of the backbone. It has no part in an operator's own error.
    Executor(&'a mut dyn Traced, usize),
}

/// What could not be compared.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CompareError {
    /// An executor could not run.
    #[error(transparent)]
    Executor(#[from] ExecutorError),
    /// The reference could not run.
    #[error("the reference: {0}")]
    Reference(#[from] InterpretError),
    /// The two run different operators.
    #[error("the {part} of the reference has other operators than the executor's -- give it the executor's program")]
    Programs {
        /// `prelude` or `body`.
        part: &'static str,
    },
}

/// Compares one backbone. `watch` is told the share of the work that is done, 0..=1.
///
/// The outputs that are compared at last are those of [`Executor::forward`](crate::executor::Executor::forward), which need not run
/// operator by operator.
pub fn verify(
    executor: &mut dyn Traced,
    backbone: usize,
    case: Case<'_>,
    mut reference: Reference<'_>,
    watch: &mut dyn FnMut(f64),
) -> Result<Report, CompareError> {
    let programs = Part::ALL.map(|part| executor.program(backbone, part).clone());
    if let Reference::Executor(other, index) = &reference {
        check(&programs, &**other, *index)?;
    }
    let images = case.times.len();
    let mut together = executor.together().min(images).max(1);
    if let Reference::Executor(other, _) = &reference {
        together = together.min(other.together());
    }
    let elements = executor.plan().spec.image.elements();
    let mut report = Report::new(&programs);
    for first in (0..images).step_by(together) {
        let slice = case.slice(first, together.min(images - first), elements);
        let mut watch = |share: f64| watch((first as f64 + share * slice.times.len() as f64) / images as f64);
        match &mut reference {
            Reference::Interpreter(weights) => {
                interpreted::compare(executor, backbone, slice, &programs, weights, &mut report, &mut watch)?
            }
            Reference::Executor(other, index) => recorded::compare(executor, backbone, slice, (&mut **other, *index), &mut report)?,
        }
    }
    let mut out = vec![f32::NAN; case.x.len()];
    executor.forward(backbone, case.x, case.times, case.labels, &mut out)?;
    report.output = Difference::new(&report.expected, &out);
    Ok(report)
}

fn check(programs: &[Program; 2], other: &dyn Traced, backbone: usize) -> Result<(), CompareError> {
    for (part, program) in Part::ALL.into_iter().zip(programs) {
        if other.program(backbone, part).ops != program.ops {
            return Err(CompareError::Programs { part: part.name() });
        }
    }
    Ok(())
}

impl<'a> Case<'a> {
    /// `count` images from `first` on; `elements` of an image.
    fn slice(self, first: usize, count: usize, elements: usize) -> Self {
        let images = first..first + count;
        Self {
            x: &self.x[first * elements..(first + count) * elements],
            times: &self.times[images.clone()],
            labels: self.labels.map(|labels| &labels[images]),
        }
    }
}
