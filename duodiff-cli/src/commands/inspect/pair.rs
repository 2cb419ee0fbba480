//! A declared pair: what it declares and what it costs.

use duodiff::Pair;
use duodiff::graph::bundle::plan_hash;
use duodiff::graph::cpu::{Memory, efficient_batch};
use duodiff::graph::plan::Plan;
use duodiff::graph::process::{Settings, Steps};
use duodiff::spec::{Betas, PairSpec, Phase, TimeMap};
use serde::Serialize;

use crate::error::Result;
use crate::report::{self, Align, Table};
use crate::source;

/// A pair, for JSON.
#[derive(Serialize)]
struct Summary<'a> {
    kind: &'static str,
    spec: &'a PairSpec,
    phases: String,
    plan: String,
    backbones: Vec<Cost>,
    arena_bytes_per_image: u64,
    peak: Peak,
}

/// A backbone's cost, for JSON.
#[derive(Serialize)]
struct Cost {
    name: String,
    parameters: u64,
    flops: u64,
    operators: usize,
}

/// The peak of memory on a CPU, for JSON.
#[derive(Serialize)]
struct Peak {
    batch: usize,
    threads: usize,
    steps: usize,
    bytes: u64,
}

/// Prints what a pair declares and what it costs.
pub fn summary(pair: &dyn Pair, json: bool) -> Result {
    let plan = source::compile(pair)?;
    print(&plan, json)
}

/// The same of a plan.
pub fn print(plan: &Plan, json: bool) -> Result {
    let summary = summarize(plan);
    if json {
        return report::line(&report::json(&summary));
    }
    report::print(&format!("{}\n{}\n{}", declared(&plan.spec), costs(&summary), memory(&summary)))
}

fn summarize(plan: &Plan) -> Summary<'_> {
    let (batch, evaluations) = (efficient_batch(plan), evaluations(&plan.spec));
    let backbones = plan.spec.backbones.iter().zip(&plan.backbones).map(|(spec, plan)| Cost {
        name: spec.name.clone(),
        parameters: plan.cost.params,
        flops: plan.cost.flops,
        operators: plan.net.prelude.ops.len() + plan.net.body.ops.len(),
    });
    Summary {
        kind: "pair",
        spec: &plan.spec,
        phases: Phase::format(&plan.spec.phases, &plan.spec.backbones),
        plan: report::hex(&plan_hash(plan)),
        backbones: backbones.collect(),
        arena_bytes_per_image: plan.arena as u64 * 4,
        peak: Peak { batch, threads: 1, steps: evaluations.iter().sum(), bytes: Memory::predict(plan, batch, 1, &evaluations).peak() },
    }
}

/// How often the default trajectory evaluates each backbone.
fn evaluations(spec: &PairSpec) -> Vec<usize> {
    Steps::new(spec, &Settings::default()).map(|steps| steps.evaluations(spec.backbones.len())).unwrap_or_default()
}

/// What the declaration says.
fn declared(spec: &PairSpec) -> String {
    let image = spec.image;
    let phase = |phase: &Phase| format!("{} {}..={}", spec.backbones[phase.backbone].name, phase.first, phase.last);
    let classes = spec.classes.map_or("none".to_string(), |classes| {
        format!("{}{}", classes.count, classes.null.map_or(String::new(), |null| format!(", null label {null}")))
    });
    let fields = [
        ("image", format!("{}x{}x{}", image.channels, image.height, image.width)),
        ("process", process(spec)),
        ("time fed", time(spec.time)),
        ("predicts", format!("{:?}", spec.predicts).to_lowercase()),
        ("classes", classes),
        ("guidance", spec.guidance.map_or("none".to_string(), |guidance| guidance.scale.to_string())),
        ("phases", spec.phases.iter().map(phase).collect::<Vec<_>>().join(", ")),
    ];
    let lines = fields.iter().map(|(name, value)| format!("  {name:<10}{value}\n")).collect::<String>();
    let doc: String = spec.doc.lines().map(|line| format!("  {}\n", line.trim())).collect();
    format!("{}\n{doc}{lines}", spec.name)
}

fn process(spec: &PairSpec) -> String {
    let steps = spec.process.steps;
    match spec.process.betas {
        Betas::Linear { first, last } => format!("linear betas {first} to {last}, {steps} timesteps"),
        Betas::ScaledLinear { first, last } => format!("scaled linear betas {first} to {last}, {steps} timesteps"),
        Betas::Cosine => format!("cosine, {steps} timesteps"),
    }
}

fn time(map: TimeMap) -> String {
    let TimeMap { times, over, plus } = map;
    let factor = if times == 1.0 { String::new() } else { format!(" * {times}") };
    let divisor = if over == 1.0 { String::new() } else { format!(" / {over}") };
    let summand = if plus == 0.0 { String::new() } else { format!(" + {plus}") };
    format!("t{factor}{divisor}{summand}")
}

fn costs(summary: &Summary<'_>) -> Table {
    use Align::{Left, Right};
    let mut table = Table::new(&[("backbone", Left), ("parameters", Right), ("GFLOP/image", Right), ("operators", Right)]);
    for cost in &summary.backbones {
        table.row([cost.name.clone(), report::commas(cost.parameters), report::gflop(cost.flops), cost.operators.to_string()]);
    }
    table
}

fn memory(summary: &Summary<'_>) -> String {
    let Peak { batch, threads, steps, bytes } = summary.peak;
    let arena = summary.arena_bytes_per_image;
    format!(
        "arena   {} bytes per image ({})\npeak    {} bytes on a CPU ({}): batch {batch}, {threads} thread, {steps} steps\nplan    {}\n",
        report::commas(arena),
        report::bytes(arena),
        report::commas(bytes),
        report::bytes(bytes),
        summary.plan
    )
}
