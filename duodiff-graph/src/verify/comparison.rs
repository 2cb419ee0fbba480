//! Rows being filled, in the order of execution.

use super::{Difference, Report};

/// Where a comparison stands in a report.
pub(super) struct Comparison<'a> {
    report: &'a mut Report,
    next: usize,
}

impl<'a> Comparison<'a> {
    /// At the first operator.
    pub fn new(report: &'a mut Report) -> Self {
        Self { report, next: 0 }
    }

    /// Notes the next operator.
    pub fn note(&mut self, total: Difference, own: Option<Difference>) {
        let row = &mut self.report.rows[self.next];
        row.total.merge(total);
        if let Some(own) = own {
            row.own.get_or_insert_default().merge(own);
        }
        self.next += 1;
    }

    /// Notes the network's output by the reference.
    pub fn finish(self, expected: &[f64]) {
        self.report.expected.extend_from_slice(expected);
    }
}
