//! `duodiff doctor`: what runs on this machine, and what does not and why.

mod finding;

use duodiff::graph::bundle::Bundle;
use duodiff::graph::cpu::Isa;
use duodiff::graph::cuda::{self, DeviceRecord};
use duodiff::graph::emit::Toolchain;
use duodiff::graph::target::Target;

use crate::args::{DeviceArg, DoctorArgs};
use crate::device::{Gpus, Offer, Place};
use crate::error::{Failure, Result, echo_path};
use crate::{environment, report, resources, source};

use finding::{Compiler, Finding, Pair};

/// Prints the findings.
pub fn run(args: &DoctorArgs) -> Result {
    let named = args.bundle.as_ref().map(|path| Ok((source::read_bundle(path)?, echo_path(path)))).transpose()?;
    let gpus = cuda::devices();
    let mut findings = vec![cpu()];
    findings.extend(cuda(&gpus));
    findings.extend([compiler(), cache(), own_pair(&gpus)]);
    findings.extend(named.map(|(bundle, name)| pair(bundle, name, &gpus)));
    let shown = |finding: &Finding| if args.json { report::json(finding) } else { report::harmless(&finding.to_string()) };
    findings.iter().try_for_each(|finding| report::line(&shown(finding)))
}

fn cpu() -> Finding {
    let instructions = format!("{:?}", Isa::detect()).to_lowercase();
    Finding::Cpu { cores: source::threads(None), instructions, free_bytes: resources::available_memory() }
}

fn cuda(gpus: &Gpus) -> Vec<Finding> {
    match gpus {
        Ok(gpus) => gpus.iter().map(gpu).collect(),
        Err(why) => vec![Finding::Cuda { gpu: None, runs: Vec::new(), problem: Some(why.to_string()) }],
    }
}

fn gpu(record: &DeviceRecord) -> Finding {
    let fits = |target: &Target| target.gpu().is_some() && cuda::fit(*target, record).is_ok();
    let runs: Vec<_> = Target::ALL.into_iter().filter(fits).map(Target::name).collect();
    let problem = match cuda::best(record) {
        Some(sm) => cuda::fit(sm.into(), record).err().map(|why| why.to_string()),
        None => Some("this version compiles nothing for it".to_owned()),
    };
    Finding::Cuda { gpu: Some(record.clone()), runs, problem }
}

fn compiler() -> Finding {
    match Toolchain::find(&environment::search()) {
        Ok(Toolchain { compiler, from, .. }) => {
            let targets = compiler.known().iter().map(|sm| sm.name()).collect();
            let found = Compiler { name: compiler.name(), path: compiler.path().display().to_string(), from, targets };
            Finding::Compiler { found: Some(found), problem: None, install: None }
        }
        Err(why) => {
            let failure = environment::failed(&why);
            Finding::Compiler { found: None, problem: Some(failure.message), install: failure.hint }
        }
    }
}

fn cache() -> Finding {
    let cache = environment::cache();
    let (cubins, bytes) = cache.as_ref().map_or((0, 0), |cache| cache.size());
    let limit = cache.as_ref().map_or(0, |cache| cache.limit());
    Finding::Cache { folder: cache.map(|cache| cache.folder().display().to_string()), cubins, bytes, limit }
}

/// The pair that is sampled where none is named.
fn own_pair(gpus: &Gpus) -> Finding {
    match source::own_bundle() {
        Ok(Some(bundle)) => pair(bundle, "standalone".to_owned(), gpus),
        Ok(None) => pair(source::built_in(), "built in".to_owned(), gpus),
        Err(why) => Finding::Pair(Pair { from: "standalone".to_owned(), problem: Some(why.message), ..Pair::default() }),
    }
}

fn pair(bundle: Bundle, from: String, gpus: &Gpus) -> Finding {
    let targets = bundle.targets.iter().map(|target| target.name()).collect();
    let weights = if bundle.weights.is_some() { "inside" } else { "elsewhere" };
    let name = bundle.plan.spec.name;
    let offer = Offer { name: from.clone(), pair: name.clone(), targets: bundle.targets, kernels: bundle.cuda };
    let (device, problem) = match Place::choose(DeviceArg::Auto, offer, || gpus.clone()) {
        Ok(Place::Cpu(why)) => (Some("cpu".to_owned()), why),
        Ok(Place::Gpu { record, .. }) => (Some(format!("cuda:{}", record.ordinal)), None),
        Err(Failure { message, .. }) => (None, Some(message)),
    };
    Finding::Pair(Pair { name: Some(name), from, targets, weights, device, problem })
}
