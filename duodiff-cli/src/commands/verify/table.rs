//! A comparison as text of at most a hundred columns, and as JSON.

use std::fmt::Write;

use duodiff::graph::program::Part;
use duodiff::graph::verify::{Difference, Row};
use serde::Serialize;

use super::verdict::{FUSING, Verdict};
use crate::report::{self, Align, Table};

/// Most characters of a layer's name.
const LAYER: usize = 34;

/// An operator, for JSON.
#[derive(Serialize)]
struct Operator<'a> {
    kind: &'static str,
    backbone: &'a str,
    #[serde(flatten)]
    row: &'a Row,
    relative: f64,
    own_relative: Option<f64>,
    wrong: bool,
    far: bool,
}

/// A backbone, for JSON.
#[derive(Serialize)]
struct Summary<'a> {
    kind: &'static str,
    pair: &'a str,
    backbone: &'a str,
    device: &'a str,
    against: &'static str,
    batch: usize,
    bound: f64,
    good: bool,
    operators: usize,
    first_bad: Option<&'a str>,
    output: Difference,
    output_relative: f64,
    unfused_relative: Option<f64>,
    seconds: f64,
}

/// The lines of one backbone.
pub fn json(verdict: &Verdict) -> String {
    let bound = verdict.bound;
    let operators = verdict.report.rows.iter().map(|row| {
        let (relative, own_relative) = (row.total.relative(), row.own_error());
        let (backbone, wrong, far) = (&*verdict.backbone, row.is_wrong(bound), row.is_far(bound));
        report::json(&Operator { kind: "operator", backbone, row, relative, own_relative, wrong, far })
    });
    let summary = report::json(&Summary {
        kind: "verdict",
        pair: &verdict.pair,
        backbone: &verdict.backbone,
        device: &verdict.device,
        against: verdict.against.name(),
        batch: verdict.batch,
        bound,
        good: verdict.is_good(),
        operators: verdict.report.rows.len(),
        first_bad: verdict.first_bad().map(|row| &*row.layer),
        output: verdict.report.output,
        output_relative: verdict.report.output.relative(),
        unfused_relative: verdict.unfused.map(Difference::relative),
        seconds: verdict.seconds,
    });
    operators.chain([summary]).map(|line| line + "\n").collect()
}

/// The table of one backbone, its verdict last.
pub fn text(verdict: &Verdict) -> String {
    let Verdict { pair, backbone, device, batch, .. } = verdict;
    let mut text = format!("{pair} {backbone} on {device}, batch {batch}, against {}\n", verdict.against.name());
    if !verdict.report.rows.is_empty() {
        text += &operators(verdict);
    }
    let output = verdict.report.output;
    let mut line = |what: &str, said: String| _ = writeln!(text, "{what:<8}  {said}");
    line("output", format!("error {:.1e}, relative {:.1e}, at most {:.0e}", output.error, output.relative(), verdict.bound));
    if let Some(unfused) = verdict.unfused {
        line("fusing", format!("changes {:.1e} of what is declared in float64, at most {FUSING:.0e}", unfused.relative()));
    }
    let count = match verdict.report.rows.len() {
        0 => "the output is".to_owned(),
        count => format!("{count} operators and the output are"),
    };
    let said = match (verdict.is_good(), verdict.first_bad()) {
        (true, _) => format!("{count} within the bound; {:.1} s", verdict.seconds),
        (false, Some(row)) => format!("first at {} {}; {:.1} s", row.op, row.layer, verdict.seconds),
        (false, None) => format!("beyond the bound; {:.1} s", verdict.seconds),
    };
    line(if verdict.is_good() { "good" } else { "WRONG" }, said);
    text + "\n"
}

fn operators(verdict: &Verdict) -> String {
    let rows = &verdict.report.rows;
    let blame = |row: &Row| row.own_error().unwrap_or(row.total.relative());
    let worst = rows.iter().map(blame).fold(0.0, f64::max);
    let columns = ["#", "operator", "layer", "output", "error", "relative", "own", ""];
    let right = |name: &&str| if ["error", "relative", "own"].contains(name) { Align::Right } else { Align::Left };
    let mut table = Table::new(&columns.each_ref().map(|name| (*name, right(name))));
    for row in rows {
        let part = if row.part == Part::Prelude { "p" } else { "" };
        let mark = match () {
            () if row.is_wrong(verdict.bound) => "WRONG",
            () if row.is_far(verdict.bound) => "far",
            () if worst > 0.0 && blame(row) == worst => "worst",
            () => "",
        };
        let own = row.own_error().map_or_else(|| "-".into(), |own| format!("{own:.1e}"));
        let numbers = [format!("{:.1e}", row.total.error), format!("{:.1e}", row.total.relative()), own];
        let head = [format!("{part}{}", row.index), row.op.into(), clipped(&row.layer), format!("{:?}", row.shape)];
        table.row(head.into_iter().chain(numbers).chain([mark.to_owned()]));
    }
    table.to_string()
}

/// The end of a name that is too long.
fn clipped(layer: &str) -> String {
    let length = layer.chars().count();
    if length <= LAYER {
        return layer.to_owned();
    }
    let end: String = layer.chars().skip(length - LAYER + 1).collect();
    format!("…{end}")
}
