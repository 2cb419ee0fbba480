//! The stages of a pair's compilation, as text or JSON Lines.

use duodiff::Pair;
use duodiff::graph::compile::{self, Compiled, Options};
use duodiff::graph::passes::{self, PassReport};
use duodiff::graph::plan::Plan;
use duodiff::graph::process::{Row, Settings, Steps};
use duodiff::graph::program::{Net, Program};
use duodiff::graph::raise::Report;
use duodiff::spec::PairSpec;
use serde::Serialize;

use super::{kernels, launches};
use crate::args::{InspectArgs, StageArg};
use crate::error::{Exit, Failure, Result};
use crate::report::{self, Align, Table};

/// A line of JSON.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Line<'a> {
    /// A row of the solver.
    Step { step: usize, backbone: &'a str, row: Row },
    /// The primitive graph, or the program as raised.
    Program { stage: &'static str, program: &'a Program },
    /// What was recognised in a primitive graph.
    Raised { backbone: &'a str, nodes: usize, recognised: Vec<(&'static str, usize)>, left: usize },
    /// What a pass did.
    Pass { backbone: &'a str, report: &'a PassReport },
    /// The program after the passes.
    Net { backbone: &'a str, net: &'a Net },
    /// The plan.
    Plan { plan: &'a Plan },
}

/// Prints one stage.
pub fn print(pair: &dyn Pair, stage: StageArg, args: &InspectArgs) -> Result {
    let InspectArgs { stop_after, json, .. } = *args;
    let has_kernels = matches!(stage, StageArg::Launch | StageArg::Cuda);
    if !has_kernels && (args.target.is_some() || args.precision.is_some()) {
        return Err(Failure::usage("--target and --precision choose kernels -- use them with --stage launch or cuda"));
    }
    if stage != StageArg::Launch && args.batch.is_some() {
        return Err(Failure::usage("--batch is how many images a launch is for -- use it with --stage launch"));
    }
    let has_passes = matches!(stage, StageArg::Optimize | StageArg::Plan);
    match stop_after {
        Some(_) if !has_passes => return Err(Failure::usage("--stop-after counts passes -- use it with --stage optimize or plan")),
        Some(count) if count > passes::ALL.len() => {
            return Err(Failure::usage(format!("--stop-after {count} is more than the {} passes there are", passes::ALL.len())));
        }
        _ => {}
    }
    let compile = || compile::compile(pair, &Options { stop_after }).map_err(failed);
    match stage {
        StageArg::Steps => steps(&pair.spec(), json),
        StageArg::Build => build(pair, json),
        StageArg::Raise => raise(&compile()?, json),
        StageArg::Optimize => optimize(&compile()?, json),
        StageArg::Plan => plan(&compile()?.plan, json),
        StageArg::Launch => launches::print(&compile()?.plan, args),
        StageArg::Cuda => kernels::print(&compile()?.plan, args),
    }
}

fn failed(why: impl std::fmt::Display) -> Failure {
    Failure::new(Exit::Failed, why.to_string())
}

fn json_line(line: &Line<'_>) -> Result {
    report::line(&report::json(line))
}

fn steps(spec: &PairSpec, json: bool) -> Result {
    let steps = Steps::new(spec, &Settings::default()).map_err(failed)?;
    let name = |row: &Row| spec.backbones[row.backbone].name.as_str();
    if json {
        let lines = steps.rows.iter().enumerate().map(|(step, row)| Line::Step { step, backbone: name(row), row: *row });
        return lines.into_iter().try_for_each(|line| json_line(&line));
    }
    use Align::{Left, Right};
    let columns = [("step", Right), ("backbone", Left), ("t", Right), ("time", Right), ("a", Right), ("b", Right)];
    let update = [("c0", Right), ("cs", Right), ("h0", Right), ("h1", Right), ("h2", Right), ("cz", Right)];
    let mut table = Table::new(&[&columns[..], &update].concat());
    for (step, row) in steps.rows.iter().enumerate() {
        let head = [step.to_string(), name(row).to_string(), row.t.to_string(), row.time.to_string()];
        let factors = [row.a, row.b, row.c0, row.cs].into_iter().chain(row.history).chain([row.cz]);
        table.row(head.into_iter().chain(factors.map(|factor| factor.to_string())));
    }
    report::print(&format!("m0 = a x + b f;  x' = c0 x + cs s + h0 m0 + h1 m1 + h2 m2 + cz z\n{table}"))
}

fn build(pair: &dyn Pair, json: bool) -> Result {
    for index in 0..pair.spec().backbones.len() {
        let program = compile::primitives(pair, index).map_err(failed)?;
        match json {
            true => json_line(&Line::Program { stage: "build", program: &program })?,
            false => report::line(&format!("{program}\n"))?,
        }
    }
    Ok(())
}

fn raise(compiled: &Compiled, json: bool) -> Result {
    for stages in &compiled.backbones {
        let (program, report) = (&stages.raised.program, &stages.raised.report);
        match json {
            true => {
                json_line(&raised(&program.name, report))?;
                json_line(&Line::Program { stage: "raise", program })?;
            }
            false => report::line(&format!("{}: {report}{program}\n", program.name))?,
        }
    }
    Ok(())
}

fn raised<'a>(backbone: &'a str, report: &Report) -> Line<'a> {
    Line::Raised { backbone, nodes: report.nodes, recognised: report.recognised.clone(), left: report.left.len() }
}

fn optimize(compiled: &Compiled, json: bool) -> Result {
    for (stages, planned) in compiled.backbones.iter().zip(&compiled.plan.backbones) {
        let (backbone, net) = (stages.raised.program.name.as_str(), &planned.net);
        if json {
            stages.passes.iter().try_for_each(|report| json_line(&Line::Pass { backbone, report }))?;
            json_line(&Line::Net { backbone, net })?;
        } else {
            let reports: String = stages.passes.iter().map(|report| format!("  {report}\n")).collect();
            report::line(&format!("{backbone}:\n{reports}{net}\n"))?;
        }
    }
    Ok(())
}

fn plan(plan: &Plan, json: bool) -> Result {
    if json { json_line(&Line::Plan { plan }) } else { report::print(&plan.to_string()) }
}
