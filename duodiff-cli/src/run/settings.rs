//! Everything that decides what a run's images are: written to `run.toml` and, but for their number, into every PNG.

use std::collections::{BTreeMap, BTreeSet};

use duodiff::graph::spec::text::echo;
use serde::{Serialize, Serializer};

use crate::report::{self, SCHEMA};

/// The settings of a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Settings {
    /// The form of this file.
    pub schema: u32,
    /// Number of images.
    #[serde(serialize_with = "whole")]
    pub count: u64,
    /// What makes an image.
    #[serde(flatten)]
    pub recipe: Recipe,
}

/// What makes an image, but for its index and class.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Recipe {
    /// Version of this program.
    pub version: String,
    /// Name of the pair.
    pub pair: String,
    /// Hash of the plan.
    pub plan: String,
    /// What the kernels are for: `cpu`, or a kind of GPU.
    pub target: String,
    /// What products are computed in.
    pub precision: String,
    /// Seed of the noise.
    #[serde(serialize_with = "whole")]
    pub seed: u64,
    /// `ddpm` or `ddim`.
    pub solver: String,
    /// Number of steps.
    pub steps: u32,
    /// Noise of ddim.
    pub eta: f64,
    /// E.g. `shallow:300,deep:700`.
    pub phases: String,
    /// How classes are given to images; `none` for pairs without.
    pub classes: String,
    /// Strength of guidance.
    pub guidance: f64,
    /// From values to 8 bits: `trunc` or `round`.
    pub quantize: String,
    /// Hash of the weights, by backbone.
    pub weights: BTreeMap<String, String>,
}

/// One image of a run, as told in its PNG.
#[derive(Serialize)]
struct Story<'a> {
    index: u64,
    class: Option<u32>,
    #[serde(flatten)]
    recipe: &'a Recipe,
}

impl Settings {
    /// The text of `run.toml`.
    pub fn toml(&self) -> String {
        let table = toml::to_string(self).expect("invariant: settings are names with numbers and texts");
        format!("# The settings of this run. Another run in this folder must have the same.\n{table}")
    }

    /// Every field in which another run's `run.toml` differs, e.g. `seed is 1 there and 2 here`.
    pub fn differences(&self, other: &toml::Table) -> Vec<String> {
        let ours: toml::Table = toml::from_str(&self.toml()).expect("invariant: run.toml is TOML");
        let (there, here) = (flat("", other), flat("", &ours));
        let fields: BTreeSet<_> = here.keys().chain(there.keys()).collect();
        let shown = |value: Option<&String>| value.map_or("missing".to_string(), |value| echo(value));
        let differ = fields.into_iter().filter(|field| there.get(*field) != here.get(*field));
        differ.map(|field| format!("{} is {} there and {} here", echo(field), shown(there.get(field)), shown(here.get(field)))).collect()
    }
}

impl Recipe {
    /// The JSON of the PNG's `duodiff` chunk.
    pub fn story(&self, index: u64, class: Option<u32>) -> String {
        report::json(&Story { index, class, recipe: self })
    }

    /// The PNG's `parameters` chunk as A1111's viewers read it: a title, then `key: value` pairs.
    pub fn parameters(&self, index: u64, class: Option<u32>, size: (usize, usize)) -> String {
        let title = class.map_or(self.pair.clone(), |class| format!("{}, class {class}", self.pair));
        let guided = if self.guidance > 0.0 { format!(", CFG scale: {}", 1.0 + self.guidance) } else { String::new() };
        let eta = if self.eta > 0.0 { format!(", Eta: {}", self.eta) } else { String::new() };
        let hash = self.weights.values().map(|hash| &hash[..hash.len().min(10)]).collect::<Vec<_>>().join("+");
        format!(
            "{title}\nSteps: {}, Sampler: {}{eta}{guided}, Seed: {}, Index: {index}, Size: {}x{}, Model hash: {hash}, Model: {}, \
             Phases: \"{}\", Version: duodiff {}",
            self.steps,
            self.solver.to_uppercase(),
            self.seed,
            size.0,
            size.1,
            self.pair,
            self.phases,
            self.version
        )
    }
}

impl Settings {
    /// The present form of `run.toml`.
    pub const SCHEMA: u32 = SCHEMA;
}

/// Leaves of nested tables under dotted names, as text.
fn flat(prefix: &str, table: &toml::Table) -> BTreeMap<String, String> {
    let leaf = |(key, value): (&String, &toml::Value)| match value {
        toml::Value::Table(inner) => flat(&format!("{prefix}{key}."), inner),
        toml::Value::String(text) => BTreeMap::from([(format!("{prefix}{key}"), text.clone())]),
        _ => BTreeMap::from([(format!("{prefix}{key}"), value.to_string())]),
    };
    table.iter().flat_map(leaf).collect()
}

/// TOML knows signed integers only: what does not fit is written as text.
fn whole<S: Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    match i64::try_from(*number) {
        Ok(number) => serializer.serialize_i64(number),
        Err(_) => serializer.serialize_str(&number.to_string()),
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// Some settings.
    pub fn example() -> Settings {
        let recipe = Recipe {
            version: "0.1.0".to_string(),
            pair: "Mnist".to_string(),
            plan: "aa".to_string(),
            target: "cpu".to_string(),
            precision: "f32".to_string(),
            seed: 7,
            solver: "ddim".to_string(),
            steps: 50,
            eta: 0.0,
            phases: "shallow:300,deep:700".to_string(),
            classes: "none".to_string(),
            guidance: 0.0,
            quantize: "trunc".to_string(),
            weights: [("shallow", "bbbbbbbbbbbb"), ("deep", "cc")].map(|(k, v)| (k.to_string(), v.to_string())).into(),
        };
        Settings { schema: Settings::SCHEMA, count: 5, recipe }
    }

    #[test]
    fn equal_settings_do_not_differ() {
        let mut settings = example();
        settings.recipe.seed = u64::MAX;
        let table = toml::from_str(&settings.toml()).unwrap();
        assert_eq!(settings.differences(&table), [""; 0]);
    }

    #[test]
    fn differences_are_named() {
        let settings = example();
        let mut other = settings.clone();
        other.recipe.weights.insert("deep".to_string(), "dd".to_string());
        let table = toml::from_str(&other.toml()).unwrap();
        assert_eq!(settings.differences(&table), ["weights.deep is dd there and cc here"]);
        let unknown: toml::Table = toml::from_str(&format!("future = 1\n{}", settings.toml())).unwrap();
        assert_eq!(settings.differences(&unknown), ["future is 1 there and missing here"]);
    }

    #[test]
    fn a_picture_tells_its_story() {
        let recipe = example().recipe;
        let story: serde_json::Value = serde_json::from_str(&recipe.story(3, Some(1))).unwrap();
        assert_eq!((&story["schema"], &story["index"], &story["class"]), (&1.into(), &3.into(), &1.into()));
        assert!(story.get("count").is_none(), "an image does not depend on how many there are");
        assert_eq!(
            recipe.parameters(3, None, (28, 28)),
            "Mnist\nSteps: 50, Sampler: DDIM, Seed: 7, Index: 3, Size: 28x28, Model hash: cc+bbbbbbbbbb, Model: Mnist, \
             Phases: \"shallow:300,deep:700\", Version: duodiff 0.1.0"
        );
    }
}
