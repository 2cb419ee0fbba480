//! A .duo file: its plan, its targets, the hashes of its weights.

use std::path::Path;

use serde::Serialize;

use super::pair;
use crate::error::{Result, echo_path};
use crate::{report, source};

/// What a bundle says besides its plan, for JSON.
#[derive(Serialize)]
struct Holds {
    kind: &'static str,
    targets: Vec<String>,
    weights: &'static str,
    hashes: Vec<Hash>,
}

/// The weights of a backbone, for JSON.
#[derive(Serialize)]
struct Hash {
    backbone: String,
    hash: String,
}

/// Prints what a bundle holds.
pub fn summary(path: &Path, json: bool) -> Result {
    let bundle = source::open_bundle(path)?;
    let hash =
        |(spec, hash): (&duodiff::graph::spec::BackboneSpec, &[u8; 32])| Hash { backbone: spec.name.clone(), hash: report::hex(hash) };
    let holds = Holds {
        kind: "bundle",
        targets: bundle.targets,
        weights: if bundle.weights.is_some() { "inside" } else { "elsewhere" },
        hashes: bundle.plan.spec.backbones.iter().zip(&bundle.hashes).map(hash).collect(),
    };
    if json {
        report::line(&report::json(&holds))?;
        return pair::print(&bundle.plan, true);
    }
    let targets = report::harmless(&holds.targets.join(", "));
    report::line(&format!("{}: bundle for {targets}, weights {}", echo_path(path), holds.weights))?;
    holds.hashes.iter().try_for_each(|weights| report::line(&format!("  {} {}", weights.hash, report::harmless(&weights.backbone))))?;
    report::line("")?;
    pair::print(&bundle.plan, false)
}
