//! Phases cover every training timestep once, in sampling order.

use proc_macro2::Span;

use super::pair::Phase;
use crate::ast::{BackboneUse, PhaseUse};
use crate::report::Errors;
use crate::suggest;

/// The phases with backbones by index. `steps` is unknown where the process is wrong.
pub fn check_phases(
    phases: &[PhaseUse],
    key: Span,
    backbones: Option<&[BackboneUse]>,
    steps: Option<i64>,
    errors: &mut Errors,
) -> Vec<Phase> {
    if let (true, Some(steps)) = (phases.is_empty(), steps) {
        let first = backbones.and_then(<[_]>::first).map_or("deep".into(), |backbone| backbone.name.to_string());
        errors.error(key, format!("there are no phases -- name at least one, e.g. {first}: {}..=0", steps - 1));
    }
    let mut found = Vec::new();
    let mut next = steps.map(|steps| steps - 1);
    for phase in phases {
        let index = backbone_of(phase, backbones, errors);
        if phase.first.value < phase.last.value {
            let (first, last) = (phase.first.value, phase.last.value);
            errors.error(phase.first.span, format!("{first}..={last} ascends, sampling goes down -- use {last}..={first}"));
            // Nothing can be said about the neighbours of a range that goes the wrong way.
            next = None;
            continue;
        }
        if let Some(wanted) = next {
            check_first(phase, wanted, steps.unwrap_or(0), errors);
        }
        next = steps.map(|_| phase.last.value - 1);
        if let (Ok(first), Ok(last)) = (u32::try_from(phase.first.value), u32::try_from(phase.last.value)) {
            found.push(Phase { backbone: index.unwrap_or(0), first, last });
        }
    }
    match (phases.last(), next) {
        (Some(phase), Some(rest)) if rest > -1 => {
            let message = format!("{} in no phase -- end here at 0, or add a phase {rest}..=0", timesteps(rest, 0));
            errors.error(phase.last.span, message);
        }
        (Some(phase), Some(rest)) if rest < -1 => {
            errors.error(phase.last.span, format!("there is no timestep {} -- use 0", phase.last.value));
        }
        _ => {}
    }
    found
}

/// The first timestep follows the last one of the phase before.
fn check_first(phase: &PhaseUse, wanted: i64, steps: i64, errors: &mut Errors) {
    let first = phase.first.value;
    let message = if first == wanted {
        return;
    } else if first >= steps {
        format!("there is no timestep {first} in a process of {steps} -- use {wanted}")
    } else if wanted < 0 {
        "every timestep has a phase already -- remove this one".into()
    } else if first > wanted {
        format!("{} in a phase already -- use {wanted}", timesteps(first, wanted + 1))
    } else {
        format!("{} in no phase -- use {wanted}", timesteps(wanted, first + 1))
    };
    errors.error(phase.first.span, message);
}

fn backbone_of(phase: &PhaseUse, backbones: Option<&[BackboneUse]>, errors: &mut Errors) -> Option<usize> {
    let backbones = backbones?;
    let index = backbones.iter().position(|backbone| backbone.name == phase.backbone);
    if index.is_none() {
        let names: Vec<String> = backbones.iter().map(|backbone| backbone.name.to_string()).collect();
        let mend = suggest::mend(&phase.backbone.to_string(), names.iter().map(String::as_str));
        errors.error(phase.backbone.span(), format!("no backbone is named `{}`{mend}", phase.backbone));
    }
    index
}

fn timesteps(first: i64, last: i64) -> String {
    if first == last { format!("timestep {first} is") } else { format!("timesteps {first}..={last} are") }
}
