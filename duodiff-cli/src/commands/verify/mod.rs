//! `duodiff verify`: what is executed against a reference, operator by operator, one backbone after the other.

mod meter;
mod reference;
mod table;
mod verdict;

use std::time::Instant;

use duodiff::graph::verify;
use duodiff::spec::PairSpec;

use crate::args::{AgainstArg, VerifyArgs};
use crate::case::Case;
use crate::catalog::{self, Catalog};
use crate::device::{Engine, Place, SMALLER};
use crate::error::{Failure, Result};
use crate::progress::Verbosity;
use crate::report;
use crate::source::{self, Source};

use meter::Meter;
use reference::{Checked, Subject};
use verdict::Verdict;

/// Verifies.
pub fn run(catalog: Catalog<'_>, args: &VerifyArgs, verbosity: Verbosity) -> Result {
    reference::check(args.against)?;
    let spec = Source::choose(catalog, args.source.as_deref(), None)?.spec().clone();
    let which = match &args.net {
        Some(net) => vec![catalog::backbone(&spec, net)?],
        None => (0..spec.backbones.len()).collect(),
    };
    let mut failed = None;
    for backbone in which {
        let verdict = one(catalog, args, &spec, backbone, verbosity)?;
        report::print(&if args.json { table::json(&verdict) } else { table::text(&verdict) })?;
        failed = failed.or_else(|| verdict.failure());
    }
    failed.map_or(Ok(()), Err)
}

/// Verifies one backbone.
fn one(catalog: Catalog<'_>, args: &VerifyArgs, spec: &PairSpec, backbone: usize, verbosity: Verbosity) -> Result<Verdict> {
    let of_one = |asked: &Option<_>| match (asked, &args.net) {
        (Some(asked), None) => source::weights_of(asked, spec, backbone).map(Some),
        (asked, _) => Ok(asked.clone()),
    };
    let (weights, others) = (of_one(&args.weights)?, of_one(&args.reference_weights)?);
    let case = match &args.input {
        Some(path) => Case::read(path, spec)?,
        None => Case::draw(spec, backbone, args.batch.into()),
    };
    let batch = case.t.len();
    let mut source = Source::choose(catalog, args.source.as_deref(), weights.as_ref())?;
    let place = source.place(args.device)?;
    if let Place::Cpu(Some(why)) = &place {
        verbosity.say(&format!("on the CPU: {why}"));
    }
    let computes = place.computes();
    if args.against == AgainstArg::Cpu && computes.0.gpu().is_none() {
        return Err(Failure::usage("the CPU is no reference for itself").hint("--against interpreter, or a bundle for a GPU"));
    }
    let ready = source.load_one(backbone)?;
    let weights = match &others {
        Some(asked) => ready.other_weights(asked)?,
        None => ready.weights()[0].clone(),
    };
    let engine = Engine::open(place, ready.plan(), source::threads(args.threads))?;
    engine.check(&ready, batch, &[batch], if args.input.is_some() { "a case of fewer images" } else { SMALLER })?;
    reference::check_memory(args.against, &ready)?;
    let device = engine.describe();
    let name = format!("{} {}", spec.name, spec.backbones[backbone].name);
    let flops = ready.plan().backbones[0].cost.flops * batch as u64;
    let mut executor = engine.executor(ready, batch)?;
    let started = Instant::now();
    let mut meter = Meter::new(&name, args.against, flops, verbosity);
    let subject = Subject { executor: &mut *executor, case: &case, weights, pair: reference::declared(catalog, spec), backbone };
    let checked = subject.check(args.against, source::threads(args.threads), &mut |share| meter.show(share));
    meter.clear();
    let Checked { report, unfused } = checked?;
    Ok(Verdict {
        pair: spec.name.clone(),
        backbone: spec.backbones[backbone].name.clone(),
        device,
        on_gpu: computes.0.gpu().is_some(),
        batch,
        against: args.against,
        bound: verify::bound(computes.0, computes.1),
        report,
        unfused,
        seconds: started.elapsed().as_secs_f64(),
    })
}
