//! The kernels of a plan for GPUs, and the forms they go through.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use duodiff::graph::bundle::Cuda;
use duodiff::graph::emit::{Compiler, EmitError, Event, Job, Options, Toolchain, Unit, cubins, units};
use duodiff::graph::launch::{DevicePlan, Entries, LaunchError};
use duodiff::graph::plan::Plan;
use duodiff::graph::target::Sm;

use super::progress::Progress;
use crate::args::{CompileArgs, EmitArg};
use crate::error::{Exit, Failure, Result};
use crate::progress::Verbosity;
use crate::{environment, signals, source};

/// The sources of a plan's kernels and what compiles them.
pub struct Kernels {
    toolchain: Toolchain,
    /// The modules of every GPU that is asked for.
    units: Vec<(Sm, Unit)>,
}

/// A file to be written.
pub struct Form {
    /// Its name.
    pub name: PathBuf,
    /// Its content.
    pub bytes: Vec<u8>,
}

impl Kernels {
    /// Of a plan, to be compiled by `toolchain`.
    pub fn new(toolchain: Toolchain, plan: &Plan, args: &CompileArgs) -> Result<Self> {
        let mut all = Vec::new();
        for sm in args.target.gpus() {
            all.extend(units(plan, args.precision, sm).map_err(|why| Failure::usage(why.to_string()))?.into_iter().map(|unit| (sm, unit)));
            check_batches(plan, args, sm).map_err(|why| Failure::usage(why.to_string()))?;
        }
        Ok(Self { toolchain, units: all })
    }

    /// What compiles them.
    pub fn compiler(&self) -> &Compiler {
        &self.toolchain.compiler
    }

    /// Compiles them for every GPU that is asked for.
    pub fn compile(&self, args: &CompileArgs, verbosity: Verbosity) -> Result<Cuda> {
        let jobs: Vec<_> = self.units.iter().map(|(target, unit)| Job { unit, target: *target }).collect();
        let cache = if args.no_cache { None } else { environment::cache() };
        let options = Options { threads: source::threads(args.threads), cache };
        let progress = Progress::new(jobs.len(), verbosity);
        let watch = |event: Event<'_>| {
            progress.show(&event);
            if signals::interrupted() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let made = cubins(self.compiler(), &jobs, &options, &watch);
        progress.clear();
        let mut batches = args.batch.clone();
        batches.sort_unstable();
        batches.dedup();
        Ok(Cuda { precision: args.precision, batches, cubins: made.map_err(|why| failed(&why))? })
    }

    /// The forms that were asked for, of every module. PTX is compiled anew, module by module.
    pub fn forms(&self, args: &CompileArgs, cuda: &Cuda, verbosity: Verbosity) -> Result<Vec<Form>> {
        let wants = |form| args.emit.contains(&form);
        let mut forms = Vec::new();
        if wants(EmitArg::Cuda) {
            // A module's source is the same for every GPU.
            let sources: BTreeMap<_, _> = self.units.iter().map(|(_, unit)| (unit.file_name(), &unit.text)).collect();
            forms.extend(sources.into_iter().map(|(name, text)| Form { name: name.into(), bytes: text.clone().into_bytes() }));
        }
        for (cubin, (_, unit)) in cuda.cubins.iter().zip(&self.units) {
            if signals::interrupted() {
                return Err(failed(&EmitError::Stopped));
            }
            let name = |extension: &str| PathBuf::from(format!("{}.{}.{extension}", cubin.module, cubin.target));
            if wants(EmitArg::Ptx) {
                verbosity.say(&format!("{} for {}: ptx", cubin.module, cubin.target));
                let bytes = self.compiler().ptx(unit, cubin.target).map_err(|why| failed(&why))?;
                forms.push(Form { name: name("ptx"), bytes });
            }
            if wants(EmitArg::Sass) {
                let bytes = self.toolchain.disassemble(cubin).map_err(|why| failed(&why))?;
                forms.push(Form { name: name("sass"), bytes });
            }
        }
        Ok(forms)
    }
}

/// The compiler that this machine has, if a GPU is asked for: what is missing is said before anything takes time.
pub fn toolchain(args: &CompileArgs) -> Result<Option<Toolchain>> {
    if args.target.gpus().is_empty() {
        return Ok(None);
    }
    let found = Toolchain::find(&environment::search()).and_then(|found| {
        found.compiler.check(&args.target.gpus())?;
        if args.emit.contains(&EmitArg::Sass) {
            found.disassembler()?;
        }
        Ok(found)
    });
    found.map(Some).map_err(|why| environment::failed(&why))
}

/// Every batch must be small enough for a launch.
fn check_batches(plan: &Plan, args: &CompileArgs, sm: Sm) -> std::result::Result<(), LaunchError> {
    let plan = DevicePlan::new(plan, args.precision, sm)?;
    for (backbone, batch) in (0..plan.backbones.len()).flat_map(|backbone| args.batch.iter().map(move |batch| (backbone, *batch))) {
        plan.body(backbone, batch as usize, Entries::Step)?;
    }
    Ok(())
}

/// The folder of the forms: beside the output, `x.emit` for `x.duo`.
pub fn folder(output: &Path) -> PathBuf {
    output.with_extension("emit")
}

/// A signal that reaches the compiler too makes it fail: the signal is the reason then.
fn failed(why: &EmitError) -> Failure {
    match why {
        EmitError::Stopped | EmitError::Compiler { .. } if signals::interrupted() => {
            Failure::new(Exit::Interrupted, "interrupted: nothing is written, finished kernels are in the cache")
        }
        why => environment::failed(why),
    }
}
