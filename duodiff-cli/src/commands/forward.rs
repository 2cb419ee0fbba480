//! `duodiff forward`: one evaluation of one backbone, from a file of tensors to a file of tensors.

use std::path::Path;

use duodiff::graph::executor::Executor;
use duodiff::graph::spec::PairSpec;
use duodiff::graph::weights::tensors::write_f32;
use serde::Serialize;

use crate::args::{ForwardArgs, WeightsArg};
use crate::catalog::{self, Catalog};
use crate::error::{Exit, Failure, Result};
use crate::progress::Verbosity;
use crate::source;
use crate::tensors::Tensors;
use crate::{file, report, resources};

/// What was done, for JSON.
#[derive(Serialize)]
struct Done {
    kind: &'static str,
    output: String,
    shape: Vec<usize>,
}

/// The input of an evaluation.
struct Case {
    /// `[B, C, H, W]`.
    x: Vec<f32>,
    /// `[B]`, training timesteps.
    t: Vec<f32>,
    /// `[B]`.
    y: Option<Vec<u32>>,
}

/// Evaluates.
pub fn run(catalog: Catalog<'_>, args: &ForwardArgs, verbosity: Verbosity) -> Result {
    let pair = catalog.find(&args.pair)?;
    let spec = pair.spec();
    let backbone = catalog::backbone(&spec, &args.net)?;
    if matches!(&args.weights, WeightsArg::Files(files) if files.len() != 1) {
        return Err(Failure::usage(format!("--weights wants one file here, that of {}", spec.backbones[backbone].name)));
    }
    let case = Case::read(&args.input, &spec)?;
    let batch = case.t.len();
    let ready = source::only(pair, backbone, &args.weights)?;
    let threads = source::threads(args.threads);
    resources::check_memory(ready.memory(batch, threads, &[batch]), "a case of fewer images")?;
    verbosity.detail(&format!("{} {}: batch {batch}, threads {threads}", spec.name, args.net));
    let mut executor = ready.executor(batch, threads)?;
    let mut eps = vec![0.0; case.x.len()];
    let evaluated = executor.forward(0, &case.x, &case.t, case.y.as_deref(), &mut eps);
    evaluated.map_err(|why| Failure::new(Exit::Failed, why.to_string()))?;
    let shape = vec![batch, spec.image.channels, spec.image.height, spec.image.width];
    file::write(&args.output, &write_f32(&[("eps", &shape, &eps)])).map_err(|why| Failure::output(&args.output, &why))?;
    let output = args.output.display().to_string();
    report::line(&if args.json { report::json(&Done { kind: "forward", output, shape }) } else { output })
}

impl Case {
    /// Reads and checks a case.
    fn read(path: &Path, spec: &PairSpec) -> Result<Self> {
        let image = spec.image;
        let refuse = |why: String| Failure::input(path, why);
        let wanted = format!("[B, {}, {}, {}]", image.channels, image.height, image.width);
        let mut file = Tensors::open(path)?;
        let shape = file.shape("x").ok_or_else(|| refuse(format!("x is missing -- wanted x {wanted} and t [B]")))?.to_vec();
        let batch = match shape[..] {
            [batch, channels, height, width] if batch > 0 && [channels, height, width] == [image.channels, image.height, image.width] => {
                batch
            }
            _ => return Err(refuse(format!("x is {shape:?}, {} wants {wanted}", spec.name))),
        };
        for (name, is_wanted) in [("t", true), ("y", spec.classes.is_some())] {
            match (file.shape(name), is_wanted) {
                (None, true) => return Err(refuse(format!("{name} is missing -- wanted {name} [{batch}]"))),
                (Some(_), false) => return Err(refuse(format!("{} has no classes -- leave {name} out", spec.name))),
                (Some(shape), true) if shape != [batch] => return Err(refuse(format!("{name} is {shape:?}, x wants [{batch}]"))),
                _ => {}
            }
        }
        let x: Vec<f32> = file.numbers("x")?.into_iter().map(|x| x as f32).collect();
        let t = file.numbers("t")?;
        let last = f64::from(spec.process.steps.saturating_sub(1));
        if !x.iter().all(|x| x.is_finite()) {
            return Err(refuse("x: not every number is finite".to_string()));
        }
        if let Some(t) = t.iter().find(|t| !(0.0..=last).contains(*t)) {
            return Err(refuse(format!("t holds {t} -- wanted finite training timesteps, 0 to {last}")));
        }
        let y = match spec.classes {
            Some(classes) => Some(labels(&file.numbers("y")?, classes.count).map_err(refuse)?),
            None => None,
        };
        Ok(Self { x, t: t.into_iter().map(|t| t as f32).collect(), y })
    }
}

/// Labels are whole numbers below the number of classes.
fn labels(numbers: &[f64], count: u32) -> std::result::Result<Vec<u32>, String> {
    let label = |&number: &f64| {
        let fits = number >= 0.0 && number < f64::from(count) && number.fract() == 0.0;
        if fits { Ok(number as u32) } else { Err(format!("y holds {number} -- wanted classes, 0 to {}", count.saturating_sub(1))) }
    };
    numbers.iter().map(label).collect()
}
