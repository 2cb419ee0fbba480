//! `duodiff doctor`: what runs on this machine, and what does not and why.

use std::fmt::{self, Display, Formatter};

use duodiff::graph::bundle::Bundle;
use duodiff::graph::cpu::Isa;
use duodiff::graph::emit::Toolchain;
use serde::Serialize;

use crate::args::DoctorArgs;
use crate::error::Result;
use crate::{environment, report, resources, source};

/// Something that a run may need.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Finding {
    /// The executor that is always there.
    Cpu { cores: usize, instructions: String, free_bytes: Option<u64> },
    /// What bundles for GPUs need.
    Cuda { driver: bool, problem: Option<String> },
    /// What `compile --target sm_…` needs.
    Compiler { found: Option<Compiler>, problem: Option<String> },
    /// Where cubins are kept.
    Cache { folder: Option<String>, cubins: usize, bytes: u64 },
    /// The pair that is sampled where none is named.
    Pair { name: Option<String>, from: &'static str, targets: Vec<&'static str>, weights: &'static str, problem: Option<String> },
}

/// A compiler of CUDA.
#[derive(Serialize)]
struct Compiler {
    name: String,
    path: String,
    from: &'static str,
    targets: Vec<&'static str>,
}

/// Prints the findings.
pub fn run(args: &DoctorArgs) -> Result {
    let findings = [cpu(), cuda(), compiler(), cache(), pair()];
    let shown = |finding: &Finding| if args.json { report::json(finding) } else { report::harmless(&finding.to_string()) };
    findings.iter().try_for_each(|finding| report::line(&shown(finding)))
}

fn cpu() -> Finding {
    let instructions = format!("{:?}", Isa::detect()).to_lowercase();
    Finding::Cpu { cores: source::threads(None), instructions, free_bytes: resources::available_memory() }
}

/// Whether NVIDIA's driver is installed; nothing of it is called.
fn cuda() -> Finding {
    let name = if cfg!(windows) { "nvcuda.dll" } else { "libcuda.so.1" };
    // SAFETY: the driver's library, whose initialisers are those of every CUDA program.
    let loaded = unsafe { libloading::Library::new(name) };
    let problem = loaded.err().map(|_| format!("the driver's library {name} is missing -- install NVIDIA's driver, version 580 or newer"));
    Finding::Cuda { driver: problem.is_none(), problem }
}

fn compiler() -> Finding {
    match Toolchain::find(&environment::search()) {
        Ok(Toolchain { compiler, from, .. }) => {
            let targets = compiler.known().iter().map(|sm| sm.name()).collect();
            let found = Compiler { name: compiler.name(), path: compiler.path().display().to_string(), from, targets };
            Finding::Compiler { found: Some(found), problem: None }
        }
        Err(why) => {
            let failure = environment::failed(&why);
            let mend = failure.hint.map_or(String::new(), |hint| format!("; try: {hint}"));
            Finding::Compiler { found: None, problem: Some(format!("{}{mend}", failure.message)) }
        }
    }
}

fn cache() -> Finding {
    let cache = environment::cache();
    let (cubins, bytes) = cache.as_ref().map_or((0, 0), |cache| cache.size());
    Finding::Cache { folder: cache.map(|cache| cache.folder().display().to_string()), cubins, bytes }
}

fn pair() -> Finding {
    let finding = |bundle: Bundle, from| Finding::Pair {
        name: Some(bundle.plan.spec.name),
        from,
        targets: bundle.targets.iter().map(|target| target.name()).collect(),
        weights: if bundle.weights.is_some() { "inside" } else { "elsewhere" },
        problem: None,
    };
    match source::own_bundle() {
        Ok(Some(bundle)) => finding(bundle, "standalone"),
        Ok(None) => finding(source::built_in(), "built in"),
        Err(why) => Finding::Pair { name: None, from: "standalone", targets: Vec::new(), weights: "", problem: Some(why.message) },
    }
}

impl Display for Finding {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu { cores, instructions, free_bytes } => {
                let free = free_bytes.map_or(String::new(), |free| format!(", {} of memory free", report::bytes(free)));
                let noun = if *cores == 1 { "core" } else { "cores" };
                write!(f, "cpu        {cores} {noun}, {instructions}{free}")
            }
            Self::Cuda { problem: Some(problem), .. } => write!(f, "cuda       no: {problem}"),
            Self::Cuda { .. } => write!(f, "cuda       NVIDIA's driver is there"),
            Self::Compiler { found: Some(Compiler { name, path, from, targets }), .. } => {
                write!(f, "compiler   {name} at {path} ({from}), for {}", targets.join(", "))
            }
            Self::Compiler { problem, .. } => write!(f, "compiler   no: {}", problem.as_deref().unwrap_or_default()),
            Self::Cache { folder: Some(folder), cubins, bytes } => {
                write!(f, "cache      {folder}: {cubins} cubins, {}", report::bytes(*bytes))
            }
            Self::Cache { .. } => write!(f, "cache      no: this user has no home folder"),
            Self::Pair { name: Some(name), from, targets, weights, .. } => {
                write!(f, "pair       {name}, {from}, for {}, weights {weights}", targets.join(", "))
            }
            Self::Pair { problem, .. } => write!(f, "pair       no: {}", problem.as_deref().unwrap_or_default()),
        }
    }
}
