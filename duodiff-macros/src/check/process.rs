//! The diffusion process of a pair or a backbone.

use crate::ast::{ProcessUse, Scalar};
use crate::report::Errors;
use crate::suggest;

/// A checked process.
#[derive(Clone, Copy, PartialEq)]
pub struct Process {
    /// Variant of `Betas`.
    pub betas: &'static str,
    /// First and last beta, where the rule has them.
    pub ends: Option<(f64, f64)>,
    /// Training timesteps.
    pub steps: u32,
}

/// How a rule is written, its variant, and its number of arguments.
const RULES: [(&str, &str, usize); 3] =
    [("linear_betas", "Linear", 3), ("scaled_linear_betas", "ScaledLinear", 3), ("cosine_betas", "Cosine", 1)];

/// More timesteps than any process has.
const MOST_STEPS: i64 = 1_000_000;

/// The process, if it is one.
pub fn check_process(process: &ProcessUse, errors: &mut Errors) -> Option<Process> {
    let word = process.rule.to_string();
    let Some((_, betas, count)) = RULES.iter().find(|(name, ..)| *name == word) else {
        let mend = suggest::mend(&word, RULES.iter().map(|(name, ..)| *name));
        errors.error(process.rule.span(), format!("`{word}` is no process{mend}"));
        return None;
    };
    if process.numbers.len() != *count {
        let usage = if *count == 1 { format!("{word}(1000)") } else { format!("{word}(1e-4, 2e-2, 1000)") };
        errors.error(process.rule.span(), format!("`{word}` does not take {} numbers -- use e.g. {usage}", process.numbers.len()));
        return None;
    }
    let steps = check_steps(process, errors);
    let ends = if *count == 3 { Some(check_ends(process, errors)?) } else { None };
    Some(Process { betas, ends, steps: steps? })
}

/// The number of timesteps, if it is one.
pub fn steps_of(process: &ProcessUse) -> Option<i64> {
    check_process(process, &mut Errors::default()).map(|process| process.steps.into())
}

fn check_steps(process: &ProcessUse, errors: &mut Errors) -> Option<u32> {
    let steps = process.numbers.last()?;
    match steps.value {
        Scalar::Integer(value) if (1..=MOST_STEPS).contains(&value) => u32::try_from(value).ok(),
        other => {
            errors.error(
                steps.span,
                format!("a process does not have {other} timesteps -- use an integer from 1 to {MOST_STEPS}, e.g. 1000"),
            );
            None
        }
    }
}

fn check_ends(process: &ProcessUse, errors: &mut Errors) -> Option<(f64, f64)> {
    let mut ends = [0.0; 2];
    for (end, number) in ends.iter_mut().zip(&process.numbers) {
        *end = match number.value {
            Scalar::Float(value) => value,
            Scalar::Integer(value) => value as f64,
            Scalar::Bool(_) => f64::NAN,
        };
        if !(*end > 0.0 && *end < 1.0) {
            errors.error(number.span, format!("a beta cannot be {} -- use a number between 0 and 1, e.g. 1e-4", number.value));
            return None;
        }
    }
    let [first, last] = ends;
    if first > last {
        let span = process.numbers.first()?.span;
        errors.error(span, format!("betas grow with the timestep, found {first:?} to {last:?} -- swap the two"));
        return None;
    }
    Some((first, last))
}
