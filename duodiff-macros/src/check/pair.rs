//! The keys of a pair: present, in range, and in agreement with each other.

use proc_macro2::Span;
use syn::Ident;

use super::evaluate::Geometry;
use super::phases::check_phases;
use super::process::{check_process, steps_of};
use crate::ast::{BackboneUse, Field, PairDeclaration, Spanned, TimeUse};
use crate::report::Errors;
use crate::suggest;

pub use super::process::Process;

/// A pair without mistakes.
pub struct CheckedPair {
    /// `[channels, height, width]`
    pub image: [usize; 3],
    /// The process of the pair.
    pub process: Process,
    /// The time map of the pair.
    pub time: TimeUse,
    /// Variant of `Prediction`.
    pub predicts: &'static str,
    /// Classes and null label.
    pub classes: Option<(u32, Option<u32>)>,
    /// Strength of the guidance.
    pub guidance: Option<f64>,
    /// In the order of declaration.
    pub backbones: Vec<Backbone>,
    /// In sampling order.
    pub phases: Vec<Phase>,
    /// Variant of `History`.
    pub history: &'static str,
}

/// A backbone's own settings.
pub struct Backbone {
    /// Its name.
    pub name: String,
    /// Its own process.
    pub process: Option<Process>,
    /// Its own time map.
    pub time: Option<TimeUse>,
}

/// A phase with its backbone by index.
pub struct Phase {
    /// Index of the backbone.
    pub backbone: usize,
    /// First timestep.
    pub first: u32,
    /// Last timestep.
    pub last: u32,
}

/// Larger images are no images of a diffusion model.
const LARGEST_SIDE: i64 = 1 << 14;

/// The pair, if every key is right.
pub fn check_pair(pair: &PairDeclaration, errors: &mut Errors) -> Option<CheckedPair> {
    check_missing(pair, errors);
    let image = check_image(pair, errors);
    let process = pair.process.value().and_then(|process| check_process(process, errors));
    let time = pair.time.value().copied();
    let predicts = pair.predicts.value().and_then(|word| choose(word, "prediction", &PREDICTIONS, errors));
    let classes = check_classes(pair, errors);
    let guidance = check_guidance(pair, errors);
    let history = match &pair.history {
        Field::Missing => Some("Carry"),
        field => field.value().and_then(|word| choose(word, "way with the history", &HISTORIES, errors)),
    };
    let declared = pair.backbones.value();
    let backbones = declared.map(|backbones| check_backbones(backbones, pair, errors));
    let steps = pair.process.value().and_then(steps_of);
    let phases = match &pair.phases {
        Field::Given { key, value } => Some(check_phases(value, *key, declared.map(Vec::as_slice), steps, errors)),
        Field::Missing | Field::Broken => None,
    };
    Some(CheckedPair {
        image: image?,
        process: process?,
        time: time?,
        predicts: predicts?,
        classes: classes?,
        guidance: guidance?,
        backbones: backbones?,
        phases: phases?,
        history: history?,
    })
}

/// What the networks depend on, if it is right; says nothing.
pub fn geometry(pair: &PairDeclaration) -> Option<Geometry> {
    let mut quiet = Errors::default();
    let image = check_image(pair, &mut quiet)?;
    let classes = match &pair.classes {
        Field::Missing => None,
        Field::Broken => return None,
        Field::Given { value, .. } => Some(u32::try_from(value.value).ok().filter(|count| *count > 0)?),
    };
    Some(Geometry { image, classes })
}

fn check_missing(pair: &PairDeclaration, errors: &mut Errors) {
    let keys = [
        ("arch", pair.arch.is_missing(), "duodiff::uvit(dim = 512, heads = 8, patch = 2)"),
        ("image", pair.image.is_missing(), "[3, 32, 32]"),
        ("process", pair.process.is_missing(), "linear_betas(1e-4, 2e-2, 1000)"),
        ("time", pair.time.is_missing(), "t"),
        ("predicts", pair.predicts.is_missing(), "epsilon"),
        ("backbones", pair.backbones.is_missing(), "{ shallow: depth = 3, deep: depth = 13 }"),
        ("phases", pair.phases.is_missing(), "{ shallow: 999..=700, deep: 699..=0 }"),
    ];
    let missing: Vec<_> = keys.iter().filter(|(_, missing, _)| *missing).collect();
    let mends: Vec<String> = missing.iter().map(|(key, _, example)| format!("{key}: {example}")).collect();
    let names: Vec<String> = missing.iter().map(|(key, ..)| format!("`{key}`")).collect();
    if !missing.is_empty() && !pair.misread {
        let (pair_name, names, mends) = (&pair.name, names.join(", "), mends.join(", "));
        errors.error(pair.name.span(), format!("the pair `{pair_name}` says nothing of {names} -- add e.g. {mends}"));
    }
}

fn check_image(pair: &PairDeclaration, errors: &mut Errors) -> Option<[usize; 3]> {
    let sizes = pair.image.value()?;
    let mut good = Vec::new();
    for size in sizes {
        if (1..=LARGEST_SIDE).contains(&size.value) {
            good.extend(usize::try_from(size.value));
        } else {
            errors.error(size.span, format!("an image has no size {} -- use an integer from 1 to {LARGEST_SIDE}", size.value));
        }
    }
    good.try_into().ok()
}

const PREDICTIONS: [(&str, &str); 5] = [("epsilon", "Epsilon"), ("x0", "X0"), ("previous", "Previous"), ("v", "V"), ("flow", "Flow")];

const HISTORIES: [(&str, &str); 2] = [("carry", "Carry"), ("restart", "Restart")];

fn choose(word: &Ident, what: &str, choices: &[(&str, &'static str)], errors: &mut Errors) -> Option<&'static str> {
    let text = word.to_string();
    let found = choices.iter().find(|(name, _)| *name == text).map(|(_, variant)| *variant);
    if found.is_none() {
        // `eps` is near nothing, yet everybody writes it.
        let mend = if text == "eps" || text == "noise" {
            " -- use `epsilon`".into()
        } else {
            suggest::mend(&text, choices.iter().map(|(name, _)| *name))
        };
        errors.error(word.span(), format!("`{text}` is no {what}{mend}"));
    }
    found
}

fn check_classes(pair: &PairDeclaration, errors: &mut Errors) -> Option<Option<(u32, Option<u32>)>> {
    let count = match &pair.classes {
        Field::Given { value, .. } => check_count(value, errors)?,
        Field::Broken => return None,
        Field::Missing => {
            if let Some(key) = pair.null_label.key() {
                errors.error(key, "a null label without classes -- add e.g. classes: 1001, or remove this key");
            }
            return Some(None);
        }
    };
    match &pair.null_label {
        Field::Missing => Some(Some((count, None))),
        Field::Broken => None,
        Field::Given { value, .. } => match u32::try_from(value.value) {
            Ok(null) if null < count => Some(Some((count, Some(null)))),
            _ => {
                let message = format!("the null label {} is none of the labels 0..={} -- use {}", value.value, count - 1, count - 1);
                errors.error(value.span, message);
                None
            }
        },
    }
}

fn check_count(count: &Spanned<i64>, errors: &mut Errors) -> Option<u32> {
    let good = u32::try_from(count.value).ok().filter(|count| (1..=1 << 24).contains(count));
    if good.is_none() {
        errors.error(count.span, format!("there cannot be {} classes -- use 1 or more, the null label included", count.value));
    }
    good
}

fn check_guidance(pair: &PairDeclaration, errors: &mut Errors) -> Option<Option<f64>> {
    let Field::Given { key, value } = &pair.guidance else {
        return if pair.guidance.is_missing() { Some(None) } else { None };
    };
    if pair.classes.is_missing() {
        errors.error(*key, "guidance without classes -- add classes: … and null_label: …, or remove this key");
    } else if pair.null_label.is_missing() {
        errors.error(*key, "guidance without a null label -- add e.g. null_label: 1000, or remove this key");
    } else if value.value < 0.0 {
        let message =
            format!("guidance {:?} leads away from the class -- use 0 (unguided) or more; diffusers' scale is 1 more", value.value);
        errors.error(value.span, message);
    }
    Some(Some(value.value))
}

fn check_backbones(backbones: &[BackboneUse], pair: &PairDeclaration, errors: &mut Errors) -> Vec<Backbone> {
    if let ([] | [_], Some(key)) = (backbones, pair.backbones.key()) {
        let found = if backbones.is_empty() { "none" } else { "one" };
        errors.error(key, format!("a pair has two backbones or more, found {found} -- add e.g. deep: depth = 13"));
    }
    for (index, backbone) in backbones.iter().enumerate() {
        if backbones[..index].iter().any(|earlier| earlier.name == backbone.name) {
            errors.error(backbone.name.span(), format!("there is a backbone `{}` already -- name this one otherwise", backbone.name));
        }
    }
    backbones.iter().map(|backbone| check_backbone(backbone, pair, errors)).collect()
}

fn check_backbone(backbone: &BackboneUse, pair: &PairDeclaration, errors: &mut Errors) -> Backbone {
    let matched = backbone.matching.value().is_some_and(|word| word == "snr");
    if let Some(word) = backbone.matching.value().filter(|word| *word != "snr") {
        errors.error(word.span(), format!("backbones are not matched by `{word}` -- use `snr`"));
    }
    let process = backbone.process.value().and_then(|process| check_process(process, errors));
    // A pair whose own process or time is wrong has been told so.
    let shared_process = pair.process.value().and_then(|shared| check_process(shared, &mut Errors::default()));
    let own_process = process.filter(|own| shared_process.is_some_and(|shared| shared != *own));
    let own_time = backbone.time.value().copied().filter(|own| pair.time.value().is_some_and(|shared| shared != own));
    let undeclared = backbone.matching.is_missing();
    let name = &backbone.name;
    // One mistake, whichever of the two differ.
    if let (Some(_), true, Some(key)) = (own_process, undeclared, backbone.process.key()) {
        errors.error(key, format!("`{name}` was trained on another process than the pair's -- add `match = snr`, or remove `process`"));
    } else if let (Some(_), true, Some(key)) = (own_time, undeclared, backbone.time.key()) {
        errors.error(key, format!("`{name}` is fed another time than the pair's -- add `match = snr`, or remove `time`"));
    } else if matched && backbone.process.is_missing() && backbone.time.is_missing() {
        let span = backbone.matching.key().unwrap_or_else(Span::call_site);
        errors.error(span, format!("`{name}` has the pair's process and time -- remove `match`, or add `process = …`"));
    }
    Backbone { name: name.to_string(), process: own_process, time: own_time }
}
