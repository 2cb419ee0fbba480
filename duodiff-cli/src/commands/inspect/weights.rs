//! A .safetensors file: its tensors, and the declared backbones that they fit.

use std::path::Path;

use duodiff::graph::weights::tensors::Entry;
use duodiff::graph::weights::{Wanted, Weights};
use serde::Serialize;

use crate::catalog::Catalog;
use crate::error::{Failure, Result, echo_path};
use crate::report::{self, Align, Table};
use crate::source;
use crate::tensors::Tensors;

/// A file of weights, for JSON.
#[derive(Serialize)]
struct File {
    kind: &'static str,
    parameters: u64,
    /// The declared backbones that it fits, e.g. `Mnist.deep`.
    fits: Vec<String>,
    /// Hash of the weights, if they fit any.
    hash: Option<String>,
    metadata: std::collections::BTreeMap<String, String>,
    tensors: Vec<Tensor>,
}

/// A tensor, for JSON.
#[derive(Serialize)]
struct Tensor {
    name: String,
    dtype: String,
    shape: Vec<usize>,
}

/// Prints the tensors.
pub fn summary(catalog: Catalog<'_>, path: &Path, json: bool) -> Result {
    let tensors = Tensors::open(path)?;
    let entries = &tensors.header().entries;
    let (fits, hash) = fits(catalog, path, entries)?;
    let file = File {
        kind: "weights",
        parameters: entries.iter().map(|entry| entry.elements() as u64).sum(),
        fits,
        hash,
        metadata: tensors.header().metadata.clone(),
        tensors: entries.iter().map(tensor).collect(),
    };
    if json { report::line(&report::json(&file)) } else { report::print(&text(path, &file)) }
}

fn tensor(entry: &Entry) -> Tensor {
    Tensor { name: entry.name.clone(), dtype: entry.dtype.name().to_lowercase(), shape: entry.shape.clone() }
}

/// The declared backbones that a file fits, and the hash of its weights as theirs.
fn fits(catalog: Catalog<'_>, path: &Path, entries: &[Entry]) -> Result<(Vec<String>, Option<String>)> {
    let (mut fits, mut hash) = (Vec::new(), None);
    for pair in catalog.0 {
        let plan = source::compile(*pair)?;
        let wanted = Wanted::all(&plan);
        for (which, backbone) in wanted.iter().enumerate().filter(|(_, wanted)| wanted.fits(entries)) {
            let weights = Weights::open(path, &wanted, which).map_err(|why| Failure::input(path, why))?;
            fits.push(format!("{}.{}", plan.spec.name, backbone.backbone));
            hash = Some(report::hex(&weights.hash));
        }
    }
    Ok((fits, hash))
}

fn text(path: &Path, file: &File) -> String {
    let mut table = Table::new(&[("tensor", Align::Left), ("dtype", Align::Left), ("shape", Align::Left)]);
    for tensor in &file.tensors {
        table.row([report::harmless(&tensor.name), tensor.dtype.clone(), format!("{:?}", tensor.shape)]);
    }
    let fits = if file.fits.is_empty() { "no declared backbone".to_string() } else { file.fits.join(", ") };
    let metadata = file.metadata.iter().map(|(key, value)| format!("{}: {}\n", report::harmless(key), report::harmless(value)));
    format!(
        "{}: {} tensors, {} parameters\nfits: {fits}\nhash: {}\n{}\n{table}",
        echo_path(path),
        file.tensors.len(),
        report::commas(file.parameters),
        file.hash.as_deref().unwrap_or("none without a backbone that it fits"),
        metadata.collect::<String>()
    )
}
