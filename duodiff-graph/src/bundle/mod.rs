//! The `.duo` file: plan, kernels, the weights' identity and, if asked, the weights.
//!
//! Header: magic, format version, number of sections, file length, a table of sections with their BLAKE3 hashes, and the hash of
//! all that. The sections follow without gaps, so every byte of a file is under one hash.

mod cuda;
mod error;
mod sections;
#[cfg(test)]
mod tests;
mod weights;

use serde::{Deserialize, Serialize};

use crate::plan::{Plan, plan};
use crate::process::Levels;
use crate::spec::Phase;
use crate::target::Target;
use crate::weights::{Wanted, Weights};

pub use crate::emit::Cubin;
pub use cuda::{BATCH, Cuda};
pub use error::BundleError;
pub use sections::{MAGIC, VERSION};
use sections::{Section, SectionKind};

/// Longest manifest, in bytes.
const MANIFEST: usize = 1 << 16;

/// Longest plan, in bytes. The largest published pairs take a tenth.
const PLAN: usize = 1 << 20;

/// Most elements of one tensor.
const ELEMENTS: usize = 1 << 31;

/// A compiled pair, as it is kept in a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Bundle {
    /// What it runs on, ascending.
    pub targets: Vec<Target>,
    /// The plan.
    pub plan: Plan,
    /// [`Weights::hash`] of each backbone's weights.
    pub hashes: Vec<[u8; 32]>,
    /// The weights, one per backbone, if they are inside.
    pub weights: Option<Vec<Weights>>,
    /// What GPUs run, if one is among the targets.
    pub cuda: Option<Cuda>,
}

/// Where a bundle's weights are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// In the bundle.
    Weights,
    /// Elsewhere; the bundle knows their hashes.
    Hashes,
}

/// What the first section says.
#[derive(Serialize, Deserialize)]
struct Manifest {
    targets: Vec<Target>,
    hashes: Vec<[u8; 32]>,
}

impl Bundle {
    /// A bundle for the CPU of a plan with these weights, one per backbone.
    pub fn new(plan: Plan, weights: Vec<Weights>, keep: Keep) -> Self {
        let hashes = weights.iter().map(|weights| weights.hash).collect();
        let weights = (keep == Keep::Weights).then_some(weights);
        Self { targets: vec![Target::Cpu], plan, hashes, weights, cuda: None }
    }
}

/// The bytes of a bundle: a function of the bundle alone.
///
/// Weights are kept in the smallest format that holds each tensor exactly (bf16, f16 or f32).
pub fn write(bundle: &Bundle) -> Vec<u8> {
    let manifest = Manifest { targets: bundle.targets.clone(), hashes: bundle.hashes.clone() };
    let mut sections = vec![
        Section { kind: SectionKind::Manifest, index: 0, bytes: encode(&manifest).into() },
        Section { kind: SectionKind::Plan, index: 0, bytes: encode(&bundle.plan).into() },
    ];
    sections.extend(bundle.cuda.iter().flat_map(cuda::sections));
    for (index, weights) in (0..).zip(bundle.weights.iter().flatten()) {
        sections.push(Section { kind: SectionKind::Weights, index, bytes: weights::encode(weights).into() });
    }
    sections::write(&sections)
}

/// BLAKE3 of a plan's encoding: equal plans have equal hashes.
pub fn plan_hash(plan: &Plan) -> [u8; 32] {
    *blake3::hash(&encode(plan)).as_bytes()
}

/// BLAKE3 of a whole file.
pub fn hash(file: &[u8]) -> [u8; 32] {
    *blake3::hash(file).as_bytes()
}

/// Checks and decodes a bundle. Nothing is decoded before its hash and its bounds are right, and nothing is believed that does not
/// follow from the rest: the plan is made again from its networks and compared.
pub fn read(bytes: &[u8]) -> Result<Bundle, BundleError> {
    let sections = sections::read(bytes)?;
    let [manifest, planned, rest @ ..] = sections.as_slice() else { return Err(BundleError::Sections) };
    let mut rest = rest;
    if manifest.kind != SectionKind::Manifest || planned.kind != SectionKind::Plan {
        return Err(BundleError::Sections);
    }
    let manifest: Manifest = decode("manifest", &manifest.bytes, MANIFEST)?;
    let plan: Plan = decode("plan", &planned.bytes, PLAN)?;
    check_plan(&plan)?;
    if manifest.hashes.len() != plan.backbones.len() {
        return Err(BundleError::Sections);
    }
    if manifest.targets.is_empty() || !manifest.targets.windows(2).all(|pair| pair[0] < pair[1]) {
        return Err(BundleError::Decode { section: "manifest" });
    }
    let cuda = cuda::read(&mut rest, &manifest.targets, &plan)?;
    let weights = if rest.is_empty() { None } else { Some(read_weights(rest, &plan, &manifest.hashes)?) };
    Ok(Bundle { targets: manifest.targets, plan, hashes: manifest.hashes, weights, cuda })
}

/// Checks that `plan` is what planning makes of its networks.
fn check_plan(found: &Plan) -> Result<(), BundleError> {
    let nets = || found.backbones.iter().map(|backbone| &backbone.net);
    let values = nets().flat_map(|net| net.prelude.values.iter().chain(&net.body.values)).map(|value| value.shape.as_slice());
    let params = nets().flat_map(|net| net.prelude.params().chain(net.body.params())).map(|(_, _, shape)| shape);
    let image = [found.spec.image.channels, found.spec.image.height, found.spec.image.width];
    let shapes = values.chain(params).chain([image.as_slice()]);
    let countable = |shape: &[usize]| {
        let elements = shape.iter().try_fold(1_usize, |product, extent| product.checked_mul(*extent));
        elements.is_some_and(|elements| elements <= ELEMENTS)
    };
    if !shapes.into_iter().all(countable) {
        return Err(BundleError::Shape);
    }
    let spec = &found.spec;
    Levels::new(spec.process)?;
    Phase::check(&spec.phases, &spec.backbones, spec.process.steps)?;
    let again = plan(spec.clone(), found.backbones.iter().map(|backbone| (backbone.net.clone(), backbone.cost)).collect())?;
    if again == *found { Ok(()) } else { Err(BundleError::Replanned) }
}

/// The weights of every backbone.
fn read_weights(sections: &[Section<'_>], plan: &Plan, hashes: &[[u8; 32]]) -> Result<Vec<Weights>, BundleError> {
    let wanted = Wanted::all(plan);
    let right = |(index, section): (u32, &Section<'_>)| section.kind == SectionKind::Weights && section.index == index;
    if sections.len() != wanted.len() || !(0..).zip(sections).all(right) {
        return Err(BundleError::Sections);
    }
    let read = |((section, wanted), hash): ((&Section<'_>, &Wanted), &[u8; 32])| {
        let weights = weights::decode(&section.bytes, wanted)?;
        if weights.hash == *hash { Ok(weights) } else { Err(BundleError::Hash { backbone: wanted.backbone.clone() }) }
    };
    sections.iter().zip(&wanted).zip(hashes).map(read).collect()
}

/// postcard's bytes.
fn encode(value: &impl Serialize) -> Vec<u8> {
    postcard::to_stdvec(value).expect("invariant: plain data is always encoded")
}

/// A value from all of `bytes`.
fn decode<'a, T: Deserialize<'a>>(section: &'static str, bytes: &'a [u8], most: usize) -> Result<T, BundleError> {
    if bytes.len() > most {
        return Err(BundleError::Long { section, found: bytes.len(), most });
    }
    match postcard::take_from_bytes(bytes) {
        Ok((value, [])) => Ok(value),
        _ => Err(BundleError::Decode { section }),
    }
}
