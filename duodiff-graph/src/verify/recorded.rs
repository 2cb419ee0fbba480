//! Another executor as the reference: its values are recorded first.

use super::comparison::Comparison;
use super::{Case, CompareError, Difference, Report};
use crate::executor::Traced;

/// Compares at most [`Traced::together`] images of both.
pub(super) fn compare(
    executor: &mut dyn Traced,
    backbone: usize,
    case: Case<'_>,
    (other, index): (&mut dyn Traced, usize),
    report: &mut Report,
) -> Result<(), CompareError> {
    let Case { x, times, labels } = case;
    let mut recorded = Vec::new();
    other.trace(index, x, times, labels, &mut |_, _, out| recorded.push(out.to_vec()))?;
    let mut comparison = Comparison::new(report);
    let mut recorded = recorded.into_iter();
    executor.trace(backbone, x, times, labels, &mut |_, _, found| {
        let expected = recorded.next().expect("invariant: both run one program");
        comparison.note(Difference::new(&widen(&expected), found), None);
    })?;
    let mut out = vec![f32::NAN; x.len()];
    other.forward(index, x, times, labels, &mut out)?;
    comparison.finish(&widen(&out));
    Ok(())
}

fn widen(values: &[f32]) -> Vec<f64> {
    values.iter().map(|x| f64::from(*x)).collect()
}
