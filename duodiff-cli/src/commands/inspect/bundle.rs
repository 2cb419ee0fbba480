//! A .duo file: its plan, its targets, its kernels, the hashes of its weights.

use std::fmt::{self, Display, Formatter};
use std::path::Path;

use duodiff::graph::bundle::{Bundle, Cubin, Cuda};
use duodiff::graph::cuda::{self, CudaError};
use duodiff::graph::launch::DevicePlan;
use duodiff::graph::process::{Settings, Solver, Steps};
use serde::Serialize;

use super::pair;
use crate::error::{Result, echo_path};
use crate::report::{Align, Table};
use crate::{device, report, source};

/// What a bundle says besides its plan, for JSON.
#[derive(Serialize)]
struct Holds {
    kind: &'static str,
    targets: Vec<&'static str>,
    weights: &'static str,
    hashes: Vec<Hash>,
    cuda: Option<Kernels>,
}

/// What GPUs run, for JSON.
#[derive(Serialize)]
struct Kernels {
    precision: &'static str,
    batches: Vec<u32>,
    memory: Memory,
    cubins: Vec<Kernel>,
}

/// What a trajectory of all steps takes on a GPU, for JSON.
#[derive(Serialize)]
struct Memory {
    steps: usize,
    /// By batch.
    bytes: Vec<u64>,
}

/// A cubin, for JSON.
#[derive(Serialize)]
struct Kernel {
    target: &'static str,
    module: &'static str,
    bytes: usize,
}

/// The weights of a backbone, for JSON.
#[derive(Serialize)]
struct Hash {
    backbone: String,
    hash: String,
}

/// Prints what a bundle holds.
pub fn summary(path: &Path, json: bool) -> Result {
    let bundle = source::read_bundle(path)?;
    let hash =
        |(spec, hash): (&duodiff::graph::spec::BackboneSpec, &[u8; 32])| Hash { backbone: spec.name.clone(), hash: report::hex(hash) };
    let holds = Holds {
        kind: "bundle",
        targets: bundle.targets.iter().map(|target| target.name()).collect(),
        weights: if bundle.weights.is_some() { "inside" } else { "elsewhere" },
        hashes: bundle.plan.spec.backbones.iter().zip(&bundle.hashes).map(hash).collect(),
        cuda: bundle.cuda.as_ref().map(|cuda| kernels(&bundle, cuda)).transpose()?,
    };
    if json {
        report::line(&report::json(&holds))?;
        return pair::print(&bundle.plan, true);
    }
    let targets = holds.targets.join(", ");
    report::line(&format!("{}: bundle for {targets}, weights {}", echo_path(path), holds.weights))?;
    holds.hashes.iter().try_for_each(|weights| report::line(&format!("  {} {}", weights.hash, report::harmless(&weights.backbone))))?;
    if let Some(kernels) = &holds.cuda {
        report::print(&format!("\n{kernels}"))?;
    }
    report::line("")?;
    pair::print(&bundle.plan, false)
}

fn kernels(bundle: &Bundle, cuda: &Cuda) -> Result<Kernels> {
    let kernel = |cubin: &Cubin| Kernel { target: cubin.target.name(), module: cubin.module.name(), bytes: cubin.bytes.len() };
    Ok(Kernels {
        precision: cuda.precision.name(),
        batches: cuda.batches.clone(),
        memory: memory(bundle, cuda).map_err(|why| device::failed(&why))?,
        cubins: cuda.cubins.iter().map(kernel).collect(),
    })
}

/// It does not depend on the kind of GPU.
fn memory(bundle: &Bundle, cuda: &Cuda) -> std::result::Result<Memory, CudaError> {
    let plan = &bundle.plan;
    let every = Settings { solver: Solver::Ddpm, ..Settings::default() };
    let evaluations = Steps::new(&plan.spec, &every).map(|steps| steps.evaluations(plan.backbones.len())).unwrap_or_default();
    let mut bytes = Vec::new();
    if let Some(sm) = bundle.targets.iter().find_map(|target| target.gpu()) {
        let device = DevicePlan::new(plan, cuda.precision, sm)?;
        for batch in &cuda.batches {
            bytes.push(cuda::Memory::predict(plan, &device, *batch as usize, &evaluations)?.total());
        }
    }
    Ok(Memory { steps: evaluations.iter().sum(), bytes })
}

impl Display for Kernels {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let batches = self.batches.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
        let mut table = Table::new(&[("target", Align::Left), ("module", Align::Left), ("bytes", Align::Right)]);
        for Kernel { target, module, bytes } in &self.cubins {
            table.row([target.to_string(), module.to_string(), report::commas(*bytes as u64)]);
        }
        let memory = self.batches.iter().zip(&self.memory.bytes);
        let memory = memory.map(|(batch, bytes)| format!("{} at batch {batch}", report::bytes(*bytes))).collect::<Vec<_>>().join(", ");
        writeln!(f, "kernels in {}, batches {batches}", self.precision)?;
        write!(f, "memory of a GPU for {} steps: {memory}\n{table}", self.memory.steps)
    }
}
