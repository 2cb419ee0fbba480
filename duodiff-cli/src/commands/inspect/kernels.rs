//! The sources of a plan's kernels, as the compiler of CUDA gets them.

use duodiff::graph::bundle;
use duodiff::graph::emit::{Nvcc, Unit, units};
use duodiff::graph::launch::Precision;
use duodiff::graph::plan::Plan;
use duodiff::graph::target::{Sm, Target};
use serde::Serialize;

use crate::args::InspectArgs;
use crate::error::{Exit, Failure, Result};
use crate::report::{self, Align, Table};

/// A source, for JSON.
#[derive(Serialize)]
struct Source<'a> {
    kind: &'static str,
    module: &'static str,
    source: &'static str,
    target: &'static str,
    flags: Vec<String>,
    hash: String,
    text: &'a str,
}

/// Prints what is compiled for one kind of GPU.
pub fn print(plan: &Plan, args: &InspectArgs) -> Result {
    let sm = gpu(args)?;
    let units = units(plan, precision(args), sm);
    let units = units.map_err(|why| Failure::new(Exit::Failed, why.to_string()))?;
    if args.json {
        return units.iter().try_for_each(|unit| report::line(&report::json(&source(unit, sm))));
    }
    use Align::{Left, Right};
    let mut table = Table::new(&[("module", Left), ("source", Left), ("bytes", Right), ("hash", Left), ("flags", Left)]);
    for unit in &units {
        let Source { module, source, hash, .. } = source(unit, sm);
        table.row([module.into(), source.into(), report::commas(unit.text.len() as u64), hash[..16].into(), unit.flags.join(" ")]);
    }
    report::print(&format!("nvcc {}\n\n{table}", Nvcc::flags(sm).join(" ")))
}

/// The kind of GPU that is meant.
pub fn gpu(args: &InspectArgs) -> Result<Sm> {
    match args.target {
        None => Ok(Sm::Sm90a),
        Some(Target::Gpu(sm)) => Ok(sm),
        Some(Target::Cpu) => Err(Failure::usage("a CPU has no CUDA kernels").hint("--target sm_90a")),
    }
}

/// The precision that is meant.
pub fn precision(args: &InspectArgs) -> Precision {
    args.precision.unwrap_or(Precision::Bf16)
}

fn source(unit: &Unit, sm: Sm) -> Source<'_> {
    let flags = Nvcc::flags(sm).into_iter().chain(unit.flags.iter().cloned()).collect();
    let hash = report::hex(&bundle::hash(unit.text.as_bytes()));
    let (module, source) = (unit.module.name(), unit.module.source());
    Source { kind: "source", module, source, target: sm.name(), flags, hash, text: &unit.text }
}
