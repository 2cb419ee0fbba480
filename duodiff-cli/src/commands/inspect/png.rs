//! The text of a PNG.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use serde::Serialize;

use crate::error::{Failure, Result, echo_path};
use crate::image;
use crate::report;

/// A PNG, for JSON.
#[derive(Serialize)]
struct Picture {
    kind: &'static str,
    width: u32,
    height: u32,
    texts: Vec<Chunk>,
}

/// One text chunk, for JSON.
#[derive(Serialize)]
struct Chunk {
    keyword: String,
    text: String,
    /// The text, if it is JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<serde_json::Value>,
}

/// Prints size and text.
pub fn summary(path: &Path, json: bool) -> Result {
    let file = File::open(path).map_err(|why| Failure::input(path, why))?;
    let ((width, height), texts) = image::texts(BufReader::new(file)).map_err(|why| Failure::input(path, why))?;
    if json {
        let chunk = |(keyword, text): (String, String)| Chunk { value: serde_json::from_str(&text).ok(), keyword, text };
        let texts = texts.into_iter().map(chunk).collect();
        return report::line(&report::json(&Picture { kind: "png", width, height, texts }));
    }
    report::line(&format!("{}: PNG, {width}x{height}", echo_path(path)))?;
    for (keyword, text) in &texts {
        report::line(&format!("\n{}:\n{}", report::harmless(keyword), report::harmless(text)))?;
    }
    if texts.is_empty() { report::line("no text: not written by duodiff, or stripped since") } else { Ok(()) }
}
