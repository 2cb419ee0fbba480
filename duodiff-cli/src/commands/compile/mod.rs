//! `duodiff compile`: a declared pair to a bundle, or to an executable with the bundle inside.

mod kernels;
mod progress;

use std::fs;
use std::path::Path;

use duodiff::graph::bundle::{self, Bundle, Keep};
use duodiff::graph::plan::Plan;
use serde::Serialize;

use crate::args::{CompileArgs, EmitArg};
use crate::catalog::Catalog;
use crate::error::{Exit, Failure, Result, echo_path};
use crate::progress::Verbosity;
use crate::source::Source;
use crate::{file, report, resources, signals, standalone};

use kernels::{Form, Kernels};

/// What was written, for JSON.
#[derive(Serialize)]
struct Done {
    kind: &'static str,
    output: String,
    bytes: u64,
    targets: Vec<&'static str>,
    plan: String,
    weights: &'static str,
    compiler: Option<String>,
    emitted: Option<String>,
}

/// Compiles.
pub fn run(catalog: Catalog<'_>, args: &CompileArgs, verbosity: Verbosity) -> Result {
    check(args)?;
    let pair = catalog.find(&args.pair)?;
    let toolchain = kernels::toolchain(args)?;
    let (plan, weights) = Source::choose(catalog, Some(&pair.spec().name), args.weights.as_ref())?.load()?.into_parts();
    signals::install();
    let kernels = toolchain.map(|toolchain| Kernels::new(toolchain, &plan, args)).transpose()?;
    if let Some(kernels) = &kernels {
        verbosity.detail(&format!("{} at {}", kernels.compiler().name(), echo_path(kernels.compiler().path())));
    }
    let cuda = kernels.as_ref().map(|kernels| kernels.compile(args, verbosity)).transpose()?;
    let mut forms = match (&kernels, &cuda) {
        (Some(kernels), Some(cuda)) => kernels.forms(args, cuda, verbosity)?,
        _ => Vec::new(),
    };
    if args.emit.contains(&EmitArg::Plan) {
        forms.push(Form { name: "plan.txt".into(), bytes: plan.to_string().into_bytes() });
    }
    let keep = if args.without_weights { Keep::Hashes } else { Keep::Weights };
    let mut bundle = Bundle::new(plan, weights, keep);
    (bundle.targets, bundle.cuda) = (args.target.0.iter().copied().collect(), cuda);
    let bytes = write(&bundle, args)?;
    let emitted = (!forms.is_empty()).then(|| kernels::folder(&args.output));
    if let Some(folder) = &emitted {
        emit(folder, &forms)?;
    }
    let done = Done {
        kind: "bundle",
        output: args.output.display().to_string(),
        bytes,
        targets: bundle.targets.iter().map(|target| target.name()).collect(),
        plan: report::hex(&bundle::plan_hash(&bundle.plan)),
        weights: if args.without_weights { "elsewhere" } else { "inside" },
        compiler: kernels.map(|kernels| kernels.compiler().name()),
        emitted: emitted.map(|folder| folder.display().to_string()),
    };
    verbosity.say(&summary(&bundle.plan, &done));
    report::line(&if args.json { report::json(&done) } else { done.output })
}

/// Refuses what cannot be meant.
fn check(args: &CompileArgs) -> Result {
    let of_kernels = args.emit.iter().any(|form| *form != EmitArg::Plan);
    if of_kernels && args.target.gpus().is_empty() {
        return Err(Failure::usage("--emit cuda, ptx and sass show kernels, which a CPU bundle has none of").hint("--target sm_90a"));
    }
    if args.output.file_name().is_none() || args.output.is_dir() {
        return Err(Failure::usage(format!("-o {} is no name of a file", echo_path(&args.output))).hint("-o x.duo"));
    }
    let folder = file::folder_of(&args.output);
    fs::metadata(&folder).map_err(|why| Failure::output(&folder, &why))?;
    Ok(())
}

/// Writes the bundle or the executable; returns its size.
fn write(bundle: &Bundle, args: &CompileArgs) -> Result<u64> {
    let mut bytes = bundle::write(bundle);
    if args.standalone {
        bytes = standalone::executable(&bytes).map_err(|why| Failure::new(Exit::Failed, why.to_string()))?;
    }
    resources::check_disk(bytes.len() as u64, &file::folder_of(&args.output))?;
    let written = if args.standalone { file::write_executable(&args.output, &bytes) } else { file::write(&args.output, &bytes) };
    written.map_err(|why| Failure::output(&args.output, &why))?;
    Ok(bytes.len() as u64)
}

/// Writes the forms into their folder.
fn emit(folder: &Path, forms: &[Form]) -> Result {
    fs::create_dir_all(folder).map_err(|why| Failure::output(folder, &why))?;
    forms.iter().try_for_each(|form| {
        let path = folder.join(&form.name);
        file::write(&path, &form.bytes).map_err(|why| Failure::output(&path, &why))
    })
}

fn summary(plan: &Plan, done: &Done) -> String {
    let emitted = done.emitted.as_ref().map_or(String::new(), |folder| format!("; emitted: {folder}"));
    format!("{} for {}, {}, weights {}{emitted}", plan.spec.name, done.targets.join(", "), report::bytes(done.bytes), done.weights)
}
