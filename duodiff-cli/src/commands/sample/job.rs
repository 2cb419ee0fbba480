//! What is to be sampled: the command line checked against the pair.

use duodiff::graph::process::{self, Solver, Steps};
use duodiff::graph::sampler::{Labels, Quantize};
use duodiff::graph::spec::{PairSpec, Phase};

use crate::args::{ClassArg, QuantizeArg, SampleArgs, SolverArg};
use crate::device::Place;
use crate::error::{Failure, Result};
use crate::report;
use crate::run::{Recipe, Settings};
use crate::source::Ready;

/// A run, but for weights and folder.
pub struct Job {
    /// The pair.
    pub spec: PairSpec,
    /// The rows.
    pub steps: Steps,
    /// Number of images.
    pub count: u64,
    /// Who gets which class.
    pub labels: Labels,
    /// Key of the noise.
    pub seed: u64,
    /// From values to 8 bits.
    pub quantize: Quantize,
    solver: Solver,
    phases: Vec<Phase>,
}

impl Job {
    /// Checks the command line.
    pub fn new(spec: &PairSpec, args: &SampleArgs) -> Result<Self> {
        if !matches!(spec.image.channels, 1 | 3) {
            let channels = spec.image.channels;
            let message = format!("a PNG holds 1 or 3 channels, {} has {channels}: its decoder cannot be run yet", spec.name);
            return Err(Failure::usage(message).hint("a pair of images (duodiff pairs)"));
        }
        let solver = solver(args)?;
        let refuse = |why: &dyn std::fmt::Display| Failure::usage(why.to_string());
        let parse = |text: &String| Phase::parse(text, &spec.backbones, spec.process.steps);
        let phases = args.phases.as_ref().map(parse).transpose().map_err(|why| refuse(&why))?;
        let settings = process::Settings {
            solver,
            steps: args.steps,
            phases: phases.clone(),
            guidance: args.guidance.map(|strength| strength as f32),
            clip: None,
        };
        let steps = Steps::new(spec, &settings).map_err(|why| refuse(&why))?;
        Ok(Self {
            spec: spec.clone(),
            steps,
            count: args.count,
            labels: labels(spec, args.class.as_ref())?,
            seed: args.seed,
            quantize: match args.quantize {
                QuantizeArg::Trunc => Quantize::Trunc,
                QuantizeArg::Round => Quantize::Round,
            },
            solver,
            phases: phases.unwrap_or_else(|| spec.phases.clone()),
        })
    }

    /// What `run.toml` and the PNGs say.
    pub fn settings(&self, ready: &Ready, place: &Place) -> Settings {
        let (target, precision) = place.computes();
        let hashes = self.spec.backbones.iter().zip(ready.weights()).map(|(spec, weights)| (spec.name.clone(), report::hex(&weights.hash)));
        let (name, eta) = match self.solver {
            Solver::Ddpm => ("ddpm", 1.0),
            Solver::Ddim { eta } => ("ddim", eta),
        };
        let recipe = Recipe {
            version: env!("CARGO_PKG_VERSION").to_string(),
            pair: self.spec.name.clone(),
            plan: report::hex(&ready.plan_hash()),
            target: target.name().to_string(),
            precision: precision.name().to_string(),
            seed: self.seed,
            solver: name.to_string(),
            steps: self.steps.rows.len() as u32,
            eta,
            phases: Phase::format(&self.phases, &self.spec.backbones),
            classes: self.classes(),
            guidance: f64::from(self.steps.guidance),
            quantize: format!("{:?}", self.quantize).to_lowercase(),
            weights: hashes.collect(),
        };
        Settings { schema: Settings::SCHEMA, count: self.count, recipe }
    }

    /// How classes are given to images.
    fn classes(&self) -> String {
        match (&self.labels, self.spec.classes) {
            (_, None) => "none".to_string(),
            (Labels::Any, _) => "random".to_string(),
            (Labels::Turns(turns), _) => turns.iter().map(u32::to_string).collect::<Vec<_>>().join(","),
        }
    }

    /// The name of the run's folder in `out/`, where none is given.
    pub fn default_name(&self) -> String {
        format!("{}-seed{}", self.spec.name.to_lowercase(), self.seed)
    }

    /// E.g. `Mnist, ddim in 50 steps, phases shallow:300,deep:700`.
    pub fn describe(&self) -> String {
        let phases = Phase::format(&self.phases, &self.spec.backbones);
        format!("{}, {} in {} steps, phases {phases}", self.spec.name, self.solver, self.steps.rows.len())
    }
}

fn solver(args: &SampleArgs) -> Result<Solver> {
    match (args.solver, args.eta) {
        (SolverArg::Ddpm, None) => Ok(Solver::Ddpm),
        (SolverArg::Ddpm, Some(_)) => Err(Failure::usage("ddpm has no eta -- leave --eta out, or use --solver ddim")),
        (SolverArg::Ddim, eta) => Ok(Solver::Ddim { eta: eta.unwrap_or(0.0) }),
    }
}

fn labels(spec: &PairSpec, asked: Option<&ClassArg>) -> Result<Labels> {
    let labels = match asked {
        None | Some(ClassArg::Random) => Labels::Any,
        Some(ClassArg::Turns(turns)) => Labels::Turns(turns.clone()),
    };
    if asked.is_some() && spec.classes.is_none() {
        return Err(Failure::usage(format!("{} has no classes -- leave --class out", spec.name)));
    }
    labels.check(spec).map_err(|why| Failure::usage(format!("{}: {why}", spec.name)))?;
    Ok(labels)
}
