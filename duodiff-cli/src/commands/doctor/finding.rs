//! What `doctor` tells, as JSON or as lines.

use std::fmt::{self, Display, Formatter};

use duodiff::graph::cuda::DeviceRecord;
use serde::Serialize;

use crate::report;

/// Something that a run may need.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Finding {
    /// The executor that is always there.
    Cpu { cores: usize, instructions: String, free_bytes: Option<u64> },
    /// A GPU, and the kinds of kernels that it runs; one finding without a GPU where there is none.
    Cuda { gpu: Option<DeviceRecord>, runs: Vec<&'static str>, problem: Option<String> },
    /// What `compile --target sm_…` needs.
    Compiler { found: Option<Compiler>, problem: Option<String>, install: Option<String> },
    /// Where cubins are kept.
    Cache { folder: Option<String>, cubins: usize, bytes: u64, limit: u64 },
    /// A pair that can be sampled without a compiler: where it would run, and why not elsewhere.
    Pair(Pair),
}

/// A compiler of CUDA.
#[derive(Serialize)]
pub struct Compiler {
    pub name: String,
    pub path: String,
    pub from: &'static str,
    pub targets: Vec<&'static str>,
}

/// A bundle's pair.
#[derive(Default, Serialize)]
pub struct Pair {
    pub name: Option<String>,
    pub from: String,
    pub targets: Vec<&'static str>,
    pub weights: &'static str,
    /// The device that it runs on.
    pub device: Option<String>,
    /// Why it runs nowhere, or not on a GPU.
    pub problem: Option<String>,
}

impl Display for Finding {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu { cores, instructions, free_bytes } => {
                let free = free_bytes.map_or(String::new(), |free| format!(", {} of memory free", report::bytes(free)));
                let noun = if *cores == 1 { "core" } else { "cores" };
                write!(f, "cpu        {cores} {noun}, {instructions}{free}")
            }
            Self::Cuda { gpu: Some(gpu), runs, problem } => {
                let (name, memory) = (&gpu.name, report::bytes(gpu.memory));
                let ((major, minor), cuda) = (gpu.capability, gpu.cuda_version());
                write!(f, "{:<10} {name}, capability {major}.{minor}, {memory}, driver for CUDA {cuda}", format!("cuda:{}", gpu.ordinal))?;
                match problem {
                    Some(problem) => write!(f, "; no: {problem}"),
                    None => write!(f, ", runs {}", runs.join(", ")),
                }
            }
            Self::Cuda { problem, .. } => write!(f, "cuda       no: {}", problem.as_deref().unwrap_or_default()),
            Self::Compiler { found: Some(Compiler { name, path, from, targets }), .. } => {
                write!(f, "compiler   {name} at {path} ({from}), for {}", targets.join(", "))
            }
            Self::Compiler { problem, install, .. } => {
                write!(f, "compiler   {}", problem.as_deref().unwrap_or_default())?;
                install.iter().try_for_each(|line| write!(f, "\n           try: {line}"))
            }
            Self::Cache { folder: Some(folder), cubins, bytes, limit } => {
                write!(f, "cache      {folder}: {cubins} cubins, {} of {} at most", report::bytes(*bytes), report::bytes(*limit))
            }
            Self::Cache { .. } => write!(f, "cache      no: this user has no home folder"),
            Self::Pair(pair) => write!(f, "pair       {pair}"),
        }
    }
}

impl Display for Pair {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Some(name) = &self.name {
            write!(f, "{name}, {}, for {}, weights {}", self.from, self.targets.join(", "), self.weights)?;
        }
        match (&self.device, &self.problem) {
            (Some(device), None) => write!(f, ", runs on {device}"),
            (Some(device), Some(problem)) => write!(f, ", runs on {device}: {problem}"),
            (None, Some(problem)) => write!(f, "{} no: {problem}", if self.name.is_some() { ";" } else { "" }),
            (None, None) => Ok(()),
        }
    }
}
