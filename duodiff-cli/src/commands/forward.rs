//! `duodiff forward`: one evaluation of one backbone, from a file of tensors to a file of tensors.

use duodiff::graph::weights::tensors::write_f32;
use serde::Serialize;

use crate::args::ForwardArgs;
use crate::case::Case;
use crate::catalog::{self, Catalog};
use crate::device::{self, Engine, Place};
use crate::error::{Failure, Result};
use crate::progress::Verbosity;
use crate::source::{self, Source};
use crate::{file, report};

/// What was done, for JSON.
#[derive(Serialize)]
struct Done {
    kind: &'static str,
    output: String,
    shape: Vec<usize>,
}

/// Evaluates.
pub fn run(catalog: Catalog<'_>, args: &ForwardArgs, verbosity: Verbosity) -> Result {
    let mut source = Source::choose(catalog, args.source.as_deref().or(args.pair.as_deref()), args.weights.as_ref())?;
    let image = source.spec().image;
    let backbone = catalog::backbone(source.spec(), &args.net)?;
    let case = Case::read(&args.input, source.spec())?;
    let batch = case.t.len();
    let place = source.place(args.device)?;
    let ready = source.load_one(backbone)?;
    if let Place::Cpu(Some(why)) = &place {
        verbosity.say(&format!("on the CPU: {why}"));
    }
    let engine = Engine::open(place, ready.plan(), source::threads(args.threads))?;
    engine.check(&ready, batch, &[batch], "a case of fewer images")?;
    verbosity.detail(&format!("{} {}: batch {batch}, {}", ready.plan().spec.name, args.net, engine.describe()));
    let mut executor = engine.executor(ready, batch)?;
    let mut eps = vec![0.0; case.x.len()];
    executor.forward(0, &case.x, &case.t, case.y.as_deref(), &mut eps).map_err(|why| device::not_executed(&why))?;
    let shape = vec![batch, image.channels, image.height, image.width];
    file::write(&args.output, &write_f32(&[("eps", &shape, &eps)])).map_err(|why| Failure::output(&args.output, &why))?;
    let output = args.output.display().to_string();
    report::line(&if args.json { report::json(&Done { kind: "forward", output, shape }) } else { output })
}
