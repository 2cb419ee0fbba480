//! What a comparison found.

use serde::Serialize;

use super::Difference;
use super::place::place;
use crate::program::{Part, Program};

/// One backbone.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// One per operator, in the order of execution.
    pub rows: Vec<Row>,
    /// Of the network's output.
    pub output: Difference,
    /// The network's output by the reference, `[n, C, H, W]`.
    pub expected: Vec<f64>,
}

/// One operator.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// Where it stands.
    pub part: Part,
    /// Which of that part.
    pub index: usize,
    /// What it is, e.g. `linear`.
    pub op: &'static str,
    /// Its layer in the checkpoint.
    pub layer: String,
    /// Shape of its output, without the batch.
    pub shape: Vec<usize>,
    /// Of its output from the reference's: everything before it has a part in that.
    pub total: Difference,
    /// Of its output from what the reference makes of the same inputs, if the reference can be asked.
    pub own: Option<Difference>,
}

impl Report {
    /// Nothing compared yet.
    pub(super) fn new(programs: &[Program; 2]) -> Self {
        let rows = Part::ALL.into_iter().zip(programs).flat_map(|(part, program)| {
            program.ops.iter().enumerate().map(move |(index, op)| Row {
                part,
                index,
                op: op.name(),
                layer: place(program, op),
                shape: program.value(op.out()).shape.clone(),
                total: Difference::default(),
                own: None,
            })
        });
        Self { rows: rows.collect(), output: Difference::default(), expected: Vec::new() }
    }

    /// The first operator that is wrong by itself; if none is known to be and the output is wrong, the first that is far off.
    pub fn first_bad(&self, bound: f64) -> Option<&Row> {
        let wrong = self.rows.iter().find(|row| row.is_wrong(bound));
        wrong.or_else(|| self.rows.iter().find(|row| self.output.relative() > bound && row.is_far(bound)))
    }

    /// Whether the output and every operator by itself are within the bound.
    pub fn is_good(&self, bound: f64) -> bool {
        !self.rows.iter().any(|row| row.is_wrong(bound)) && self.output.relative() <= bound
    }
}

impl Row {
    /// The error that the operator is to blame for, relative; none if it is not known.
    pub fn own_error(&self) -> Option<f64> {
        self.own.map(Difference::relative)
    }

    /// Whether the operator is known to be wrong.
    pub fn is_wrong(&self, bound: f64) -> bool {
        self.own_error().is_some_and(|error| error > bound)
    }

    /// Whether its output is beyond the bound. Inside a network rounding alone may do that: attention makes more of small differences, and
    /// what follows makes less of them.
    pub fn is_far(&self, bound: f64) -> bool {
        self.total.relative() > bound
    }
}
