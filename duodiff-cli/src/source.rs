//! What is sampled: the embedded pair, a bundle, or a declared pair with its weights.

use std::fs;
use std::ops::Range;
use std::path::Path;

use duodiff::Pair;
use duodiff::graph::bundle::{self, Bundle, BundleError};
use duodiff::graph::cpu::{Cpu, Memory, Options, efficient_batch};
use duodiff::graph::cuda;
use duodiff::graph::plan::Plan;
use duodiff::graph::target::Target;
use duodiff::graph::weights::{Wanted, Weights};
use duodiff::spec::{PairSpec, Phase};

use crate::args::{DeviceArg, WeightsArg};
use crate::catalog::Catalog;
use crate::device::{Offer, Place};
use crate::error::{Exit, Failure, Result, echo_path};
use crate::{report, standalone};

/// The embedded pair's bundle, made by the build script.
const EMBEDDED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/embedded.duo"));

/// The built-in bundle.
pub fn built_in() -> Bundle {
    bundle::read(EMBEDDED).expect("invariant: the build script wrote this bundle")
}

/// The bundle that this executable was given with `compile --standalone`, checked as a file is.
pub fn own_bundle() -> Result<Option<Bundle>> {
    let bytes = standalone::bundle().map_err(|why| Failure::new(Exit::Input, why.to_string()).hint("name a pair or a bundle"))?;
    let path = std::env::current_exe().unwrap_or_default();
    bytes.map(|bytes| decode(&bytes, &path)).transpose()
}

/// A plan and where its weights come from; files of weights are not read yet.
pub struct Source {
    plan: Plan,
    weights: Origin,
    offer: Offer,
}

/// Where weights come from.
enum Origin {
    /// A bundle that holds them.
    Inside(Vec<Weights>),
    /// The command line.
    Asked(WeightsArg),
    /// The command line; files must have the hashes that the bundle records.
    Recorded(WeightsArg, Vec<[u8; 32]>),
    /// Nowhere: nothing holds them, and none are asked for.
    Missing,
}

/// A plan with its weights.
pub struct Ready {
    plan: Plan,
    weights: Vec<Weights>,
}

/// Compiles a declared pair.
#[cfg(feature = "compile")]
pub fn compile(pair: &dyn Pair) -> Result<Plan> {
    use duodiff::graph::compile;
    let compiled = compile::compile(pair, &compile::Options::default());
    compiled
        .map(|compiled| compiled.plan)
        .map_err(|why| Failure::new(Exit::Failed, format!("{} could not be compiled: {why}", pair.spec().name)))
}

/// Says that this build cannot compile pairs.
#[cfg(not(feature = "compile"))]
pub fn compile(pair: &dyn Pair) -> Result<Plan> {
    let message = format!("{} must be compiled, and this duodiff was built without its compiler", pair.spec().name);
    Err(Failure::usage(message).hint("a bundle (x.duo), or a duodiff built with the feature compile"))
}

/// Number of threads where none is asked for.
pub fn threads(asked: Option<u16>) -> usize {
    asked.map_or_else(|| std::thread::available_parallelism().map_or(1, usize::from), usize::from)
}

/// Reads a bundle.
pub fn read_bundle(path: &Path) -> Result<Bundle> {
    let metadata = fs::metadata(path).map_err(|why| Failure::input(path, why))?;
    if !metadata.is_file() {
        return Err(Failure::input(path, "not a regular file"));
    }
    let bytes = fs::read(path).map_err(|why| Failure::input(path, why))?;
    decode(&bytes, path)
}

/// Decodes a bundle from this file.
fn decode(bytes: &[u8], path: &Path) -> Result<Bundle> {
    bundle::read(bytes).map_err(|why| match why {
        BundleError::Version { .. } | BundleError::Replanned => Failure { exit: Exit::Misfit, ..Failure::input(path, why) },
        _ => Failure::input(path, why),
    })
}

/// The file of one backbone's weights, or none if they are made up.
fn load_one(wanted: &[Wanted], which: usize, asked: Asked<'_>, recorded: Option<&[[u8; 32]]>) -> Result<Weights> {
    let path = match asked {
        Asked::Random(seed) => return Ok(Weights::random(seed, &wanted[which])),
        Asked::File(path) => path,
    };
    let weights = Weights::open(path, wanted, which).map_err(|why| Failure::input(path, why))?;
    match recorded.map(|hashes| hashes[which]) {
        Some(hash) if hash != weights.hash => {
            let (found, wanted) = (report::hex(&weights.hash), report::hex(&hash));
            let message = format!("has hash {found}, the bundle was made with {wanted} -- give the file it was made with");
            Err(Failure::input(path, message))
        }
        _ => Ok(weights),
    }
}

/// The weights that are asked for of one backbone.
#[derive(Clone, Copy)]
enum Asked<'a> {
    Random(u64),
    File(&'a Path),
}

impl<'a> Asked<'a> {
    /// For each of these backbones.
    fn of(asked: &'a WeightsArg, names: &[&str], pair: &str) -> Result<Vec<Self>> {
        let count = names.len();
        match asked {
            WeightsArg::Random(seed) => Ok(vec![Self::Random(*seed); count]),
            WeightsArg::Files(files) if files.len() == count => Ok(files.iter().map(|file| Self::File(file)).collect()),
            WeightsArg::Files(files) => {
                let (found, hint) = (files.len(), hint(names));
                let message = match names {
                    [only] => format!("--weights wants one file here, that of {only}"),
                    _ => format!("--weights names {found} files, {pair} has {count} backbones"),
                };
                Err(Failure::usage(message).hint(hint))
            }
        }
    }
}

/// What is asked for of one backbone of a pair, where it is asked for all.
pub fn weights_of(asked: &WeightsArg, spec: &PairSpec, which: usize) -> Result<WeightsArg> {
    let names: Vec<&str> = spec.backbones.iter().map(|backbone| backbone.name.as_str()).collect();
    Ok(match Asked::of(asked, &names, &spec.name)?[which] {
        Asked::Random(seed) => WeightsArg::Random(seed),
        Asked::File(path) => WeightsArg::Files(vec![path.to_path_buf()]),
    })
}

/// What to type for the weights of these backbones.
fn hint(names: &[&str]) -> String {
    let files: Vec<_> = names.iter().map(|name| format!("{name}.safetensors")).collect();
    format!("--weights {}", files.join(","))
}

impl Source {
    /// Finds what was asked for. Where nothing was, it is the embedded pair.
    pub fn choose(catalog: Catalog<'_>, name: Option<&str>, weights: Option<&WeightsArg>) -> Result<Self> {
        let Some(name) = name else { return Self::embedded(weights) };
        if let Some(pair) = catalog.get(name) {
            return Self::declared(pair, weights);
        }
        if !is_file_name(name) {
            return Err(catalog.find(name).err().unwrap_or_else(|| Failure::usage("no such pair")));
        }
        Self::bundled(read_bundle(Path::new(name))?, echo_path(Path::new(name)), weights)
    }

    /// A bundle, with weights of its own or those that are asked for.
    fn bundled(bundle: Bundle, name: String, weights: Option<&WeightsArg>) -> Result<Self> {
        let Bundle { plan, hashes, weights: inside, targets, cuda } = bundle;
        let weights = match (weights, inside) {
            (Some(asked), _) => Origin::Recorded(asked.clone(), hashes),
            (None, Some(inside)) => Origin::Inside(inside),
            (None, None) => Origin::Missing,
        };
        let offer = Offer { name, pair: plan.spec.name.clone(), targets, kernels: cuda };
        Ok(Self { plan, weights, offer })
    }

    /// The pair that is sampled where none is named: that of this executable's own bundle, else the built-in one.
    fn embedded(weights: Option<&WeightsArg>) -> Result<Self> {
        match own_bundle()? {
            Some(bundle) => Self::bundled(bundle, OWN.to_owned(), weights),
            None => Ok(Self::built_in(weights)),
        }
    }

    fn built_in(weights: Option<&WeightsArg>) -> Self {
        let Bundle { plan, weights: inside, .. } = built_in();
        let inside = inside.expect("invariant: the embedded bundle holds its weights");
        let weights = weights.map_or(Origin::Inside(inside), |asked| Origin::Asked(asked.clone()));
        Self { offer: for_cpu(&plan), plan, weights }
    }

    fn declared(pair: &dyn Pair, weights: Option<&WeightsArg>) -> Result<Self> {
        let compiled = |weights| compile(pair).map(|plan| Self { offer: for_cpu(&plan), plan, weights });
        if let Some(asked) = weights {
            return compiled(Origin::Asked(asked.clone()));
        }
        let spec = pair.spec();
        if let Some(bundle) = own_bundle()?.filter(|bundle| bundle.plan.spec == spec) {
            return Self::bundled(bundle, OWN.to_owned(), None);
        }
        let built_in = Self::built_in(None);
        if spec == built_in.plan.spec { Ok(built_in) } else { compiled(Origin::Missing) }
    }

    /// What the pair declares.
    pub fn spec(&self) -> &PairSpec {
        &self.plan.spec
    }

    /// Chooses where to execute it.
    pub fn place(&mut self, asked: DeviceArg) -> Result<Place> {
        let kernels = self.offer.kernels.take();
        Place::choose(asked, Offer { kernels, ..self.offer.clone() }, cuda::devices)
    }

    /// Loads the weights of all backbones.
    pub fn load(mut self) -> Result<Ready> {
        let all = 0..self.plan.backbones.len();
        let weights = self.weights(all)?;
        Ok(Ready { plan: self.plan, weights })
    }

    /// Loads one backbone with its weights, as a plan of its own: backbone 0.
    pub fn load_one(mut self, backbone: usize) -> Result<Ready> {
        let weights = self.weights(backbone..backbone + 1)?;
        let mut plan = self.plan;
        let last = plan.spec.process.steps.saturating_sub(1);
        plan.spec.backbones = vec![plan.spec.backbones.swap_remove(backbone)];
        plan.backbones = vec![plan.backbones.swap_remove(backbone)];
        plan.spec.phases = vec![Phase { backbone: 0, first: last, last: 0 }];
        Ok(Ready { plan, weights })
    }

    /// The weights of some backbones.
    fn weights(&mut self, which: Range<usize>) -> Result<Vec<Weights>> {
        let names: Vec<&str> = self.plan.spec.backbones[which.clone()].iter().map(|backbone| backbone.name.as_str()).collect();
        let pair = &self.plan.spec.name;
        let (asked, recorded) = match &mut self.weights {
            Origin::Inside(weights) => return Ok(weights.drain(which).collect()),
            Origin::Asked(asked) => (asked, None),
            Origin::Recorded(asked, hashes) => (asked, Some(&hashes[..])),
            Origin::Missing => {
                let message = format!("{pair} comes without weights -- give --weights");
                return Err(Failure::usage(message).hint(format!("{} (or random:0, for benchmarks)", hint(&names))));
            }
        };
        let wanted = Wanted::all(&self.plan);
        which.zip(Asked::of(asked, &names, pair)?).map(|(which, asked)| load_one(&wanted, which, asked, recorded)).collect()
    }
}

/// What the executable's own bundle is called.
const OWN: &str = "the bundle in this executable";

/// What a plan that comes without kernels is executed on.
fn for_cpu(plan: &Plan) -> Offer {
    let pair = plan.spec.name.clone();
    Offer { name: pair.clone(), pair, targets: vec![Target::Cpu], kernels: None }
}

/// What is meant to be a file is told apart from a pair by its dots and slashes.
pub fn is_file_name(typed: &str) -> bool {
    typed.contains(['.', '/', '\\'])
}

impl Ready {
    /// The weights, one set per backbone.
    pub fn weights(&self) -> &[Weights] {
        &self.weights
    }

    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Identifies the plan.
    pub fn plan_hash(&self) -> [u8; 32] {
        bundle::plan_hash(&self.plan)
    }

    /// Other weights for the only backbone.
    pub fn other_weights(&self, asked: &WeightsArg) -> Result<Weights> {
        let spec = &self.plan.spec;
        let asked = Asked::of(asked, &[&spec.backbones[0].name], &spec.name)?;
        load_one(&Wanted::all(&self.plan), 0, asked[0], None)
    }

    /// Plan and weights, to be kept in a bundle.
    pub fn into_parts(self) -> (Plan, Vec<Weights>) {
        (self.plan, self.weights)
    }

    /// Bytes that an executor takes, beyond the loaded weights, if it evaluates each backbone so often.
    pub fn memory(&self, batch: usize, threads: usize, evaluations: &[usize]) -> u64 {
        let loaded = self.weights.iter().flat_map(|weights| weights.tensors.values()).map(|tensor| 4 * tensor.data.len() as u64);
        Memory::predict(&self.plan, batch, threads, evaluations).peak().saturating_sub(loaded.sum())
    }

    /// Images per batch where nobody says how many.
    pub fn efficient_batch(&self) -> usize {
        efficient_batch(&self.plan)
    }

    /// Sets the executor up.
    pub fn executor(self, batch: usize, threads: usize) -> Result<Cpu> {
        let options = Options { batch, threads, isa: None };
        Cpu::new(self.plan, self.weights, options).map_err(|why| Failure::new(Exit::Input, why.to_string()))
    }
}

#[cfg(test)]
mod tests;
