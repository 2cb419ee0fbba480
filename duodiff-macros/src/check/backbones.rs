//! Meets a pair with its arch: binds the parameters of every backbone and evaluates each.

use std::collections::HashMap;

use proc_macro2::Span;

use super::evaluate::{Evaluator, Geometry, Problem};
use super::network::{Library, Network};
use super::pair::geometry;
use super::value::Evaluated;
use crate::ast::{Arch, ArchUse, Argument, BackboneUse, PairDeclaration, Parameter, Presence, Scalar};
use crate::report::{Errors, place};
use crate::suggest;

/// The networks of all backbones, if each is right. Says nothing where what it needs was refused before.
pub fn evaluate_backbones(arch: &Arch, pair: &PairDeclaration, library: &mut Library, errors: &mut Errors) -> Option<Vec<Network>> {
    let before = errors.count();
    let used = pair.arch.value()?;
    check_arguments(arch, &used.arguments, errors);
    let backbones = pair.backbones.value()?;
    backbones.iter().for_each(|backbone| check_arguments(arch, &backbone.arguments, errors));
    // A misspelt parameter is not missing as well.
    if errors.count() > before {
        return None;
    }
    check_missing(arch, used, backbones, errors);
    let geometry = geometry(pair)?;
    check_label(arch, pair, used, geometry, errors);
    if errors.count() > before {
        return None;
    }
    let mut problems = Vec::new();
    let mut networks = Vec::new();
    let mut label_used = false;
    for backbone in backbones {
        let constants = constants(arch, &used.arguments, &backbone.arguments);
        let mut evaluator = Evaluator::new(arch, geometry, constants, library);
        match evaluator.run(&backbone.name.to_string()) {
            Ok(network) => networks.push(network),
            Err(found) => problems.extend(found.into_iter().map(|problem| (backbone.name.to_string(), problem))),
        }
        label_used |= evaluator.label_used;
    }
    report(pair, problems, errors);
    if let (Some(key), false, true) = (pair.classes.key(), label_used, errors.count() == before) {
        errors.error(key, format!("the arch `{}` never looks at the label -- embed it, or remove this key", arch.name));
    }
    (errors.count() == before).then_some(networks)
}

/// Every argument is a parameter of the arch, once, and of its kind.
fn check_arguments(arch: &Arch, arguments: &[Argument], errors: &mut Errors) {
    for (index, argument) in arguments.iter().enumerate() {
        let name = &argument.name;
        let Some(parameter) = arch.parameters.iter().find(|parameter| parameter.name == *name) else {
            let names: Vec<String> = arch.parameters.iter().map(|parameter| parameter.name.to_string()).collect();
            let mend = suggest::mend(&name.to_string(), names.iter().map(String::as_str));
            errors.error(name.span(), format!("the arch `{}` has no parameter `{name}`{mend}", arch.name));
            continue;
        };
        if arguments[..index].iter().any(|earlier| earlier.name == *name) {
            errors.error(name.span(), format!("the parameter `{name}` is given twice -- remove one of the two"));
        }
        let fits = match (parameter.default.map(|(default, _)| default), argument.value.value) {
            (None, _) | (Some(Scalar::Float(_)), Scalar::Integer(_)) => true,
            (Some(default), given) => default.kind() == given.kind(),
        };
        if let (Some((default, _)), false) = (parameter.default, fits) {
            let message = format!("the parameter `{name}` is {}, found {} -- use e.g. {default}", default.kind(), argument.value.value);
            errors.error(argument.value.span, message);
        }
    }
}

/// A parameter without a default is given for every backbone.
fn check_missing(arch: &Arch, used: &ArchUse, backbones: &[BackboneUse], errors: &mut Errors) {
    let gives = |arguments: &[Argument], parameter: &Parameter| arguments.iter().any(|argument| argument.name == parameter.name);
    let needed: Vec<&Parameter> =
        arch.parameters.iter().filter(|parameter| parameter.default.is_none() && !gives(&used.arguments, parameter)).collect();
    let (mut everywhere, mut somewhere) = (Vec::new(), vec![Vec::new(); backbones.len()]);
    for parameter in needed {
        let lacking: Vec<usize> = (0..backbones.len()).filter(|index| !gives(&backbones[*index].arguments, parameter)).collect();
        if lacking.len() == backbones.len() {
            everywhere.push(parameter.name.to_string());
        } else {
            lacking.into_iter().for_each(|index| somewhere[index].push(parameter.name.to_string()));
        }
    }
    if !everywhere.is_empty() {
        errors.error(path_span(used), lacks(arch, &everywhere));
    }
    for (backbone, names) in backbones.iter().zip(&somewhere).filter(|(_, names)| !names.is_empty()) {
        errors.error(backbone.name.span(), lacks(arch, names));
    }
}

fn lacks(arch: &Arch, names: &[String]) -> String {
    let list: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    let mends: Vec<String> = names.iter().map(|name| format!("{name} = …")).collect();
    format!("the arch `{}` needs {} -- add {}", arch.name, list.join(", "), mends.join(", "))
}

fn path_span(used: &ArchUse) -> Span {
    used.path.segments.last().map_or_else(Span::call_site, |segment| segment.ident.span())
}

/// Arch and pair agree whether there is a label.
fn check_label(arch: &Arch, pair: &PairDeclaration, used: &ArchUse, geometry: Geometry, errors: &mut Errors) {
    let label = arch.inputs.iter().find(|input| input.name == "label");
    match (label, geometry.classes, pair.classes.key()) {
        (None, Some(_), Some(key)) => {
            errors.error(key, format!("the arch `{}` has no input `label` -- remove this key, or use an arch with labels", arch.name));
        }
        (Some(label), None, _) if label.presence == Presence::Required => {
            let message = format!("the arch `{}` needs a label, and the pair has no classes -- add e.g. classes: 10", arch.name);
            errors.error(path_span(used), message);
        }
        _ => {}
    }
}

/// Defaults, then what the pair gives, then what the backbone gives.
fn constants(arch: &Arch, shared: &[Argument], own: &[Argument]) -> HashMap<String, Evaluated> {
    let defaults = arch.parameters.iter().filter_map(|parameter| Some((&parameter.name, parameter.default?)));
    let given = shared.iter().chain(own).map(|argument| (&argument.name, (argument.value.value, argument.value.span)));
    let evaluated = |(value, span): (Scalar, Span)| Evaluated { value: value.into(), span };
    defaults.chain(given).map(|(name, value)| (name.to_string(), evaluated(value))).collect()
}

/// One error per token, naming every backbone that it befalls.
fn report(pair: &PairDeclaration, problems: Vec<(String, Problem)>, errors: &mut Errors) {
    let mut merged: Vec<(String, Vec<String>, Problem)> = Vec::new();
    for (backbone, problem) in problems {
        let key = place(problem.span);
        match merged.iter_mut().find(|(known, ..)| *known == key) {
            Some((_, backbones, _)) => backbones.push(format!("`{backbone}`")),
            None => merged.push((key, vec![format!("`{backbone}`")], problem)),
        }
    }
    for (_, backbones, problem) in merged {
        errors.error(problem.span, format!("in `{}` ({}): {}", pair.name, backbones.join(", "), problem.message));
    }
}
