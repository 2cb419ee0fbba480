//! Arguments of executors, checked against the plan: the same refusals on every device.

use super::{ExecutorError, Request};
use crate::plan::Plan;
use crate::spec::PairSpec;

/// Refuses more than `most`.
pub(crate) fn batch(what: &'static str, found: usize, most: usize) -> Result<(), ExecutorError> {
    if found > most { Err(ExecutorError::Size { what, found, wanted: most }) } else { Ok(()) }
}

/// Refuses what [`super::Executor::forward`] cannot evaluate; `most` is the largest batch.
pub(crate) fn forward(
    plan: &Plan,
    most: usize,
    backbone: usize,
    x: &[f32],
    times: &[f32],
    labels: Option<&[u32]>,
    out: &[f32],
) -> Result<(), ExecutorError> {
    let (count, wanted) = (times.len(), times.len() * plan.spec.image.elements());
    batch("times", count, most)?;
    for (what, found) in [("x", x.len()), ("out", out.len())] {
        if found != wanted {
            return Err(ExecutorError::Size { what, found, wanted });
        }
    }
    if backbone >= plan.backbones.len() {
        return Err(ExecutorError::Backbone { found: backbone, count: plan.backbones.len() });
    }
    check_labels(&plan.spec, count, labels)
}

/// The labels of requests and, if guided, the null label for each.
pub(crate) fn request_labels(spec: &PairSpec, images: &[Request], guidance: f32) -> Result<(Vec<u32>, Vec<u32>), ExecutorError> {
    let labels: Vec<u32> = images.iter().filter_map(|image| image.label).collect();
    let is_labelled = spec.classes.is_some() || !labels.is_empty();
    check_labels(spec, images.len(), is_labelled.then_some(&labels[..]))?;
    if guidance == 0.0 {
        return Ok((labels, Vec::new()));
    }
    let null = spec.classes.and_then(|classes| classes.null);
    let null = null.ok_or_else(|| ExecutorError::Label("guidance needs a null label, the pair has none".into()))?;
    Ok((labels, vec![null; images.len()]))
}

fn check_labels(spec: &PairSpec, count: usize, labels: Option<&[u32]>) -> Result<(), ExecutorError> {
    match (spec.classes, labels) {
        (None, None) => Ok(()),
        (None, Some(_)) => Err(ExecutorError::Label("the pair has no classes -- leave the labels out".into())),
        (Some(classes), None) => Err(ExecutorError::Label(format!("the pair has {} classes -- give a label per image", classes.count))),
        (Some(_), Some(labels)) if labels.len() != count => Err(ExecutorError::Size { what: "labels", found: labels.len(), wanted: count }),
        (Some(classes), Some(labels)) => match labels.iter().find(|&&label| label >= classes.count) {
            Some(label) => Err(ExecutorError::Label(format!("label {label} is out of range, labels are below {}", classes.count))),
            None => Ok(()),
        },
    }
}
