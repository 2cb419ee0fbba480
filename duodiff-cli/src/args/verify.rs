//! Arguments of `verify`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{DeviceArg, WeightsArg};

/// Arguments of `verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// A declared pair or a .duo file [default: the embedded pair].
    #[arg(value_name = "PAIR|X.DUO")]
    pub source: Option<String>,
    /// One .safetensors file per backbone (with --net: that backbone's), or random:SEED.
    #[arg(long, value_name = "SHALLOW,DEEP|random:SEED")]
    pub weights: Option<WeightsArg>,
    /// Weights of the reference, to find where two checkpoints differ [default: the same].
    #[arg(long, value_name = "SHALLOW,DEEP|random:SEED")]
    pub reference_weights: Option<WeightsArg>,
    /// One of its backbones [default: all, one after the other].
    #[arg(long)]
    pub net: Option<String>,
    /// Images that are evaluated.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..), conflicts_with = "input")]
    pub batch: u16,
    /// A .safetensors file with x [B, C, H, W], t [B] and, for pairs with classes, y [B] [default: noise, at times of the backbone's phase].
    #[arg(long, value_name = "CASE.safetensors")]
    pub input: Option<PathBuf>,
    /// What is taken to be right.
    #[arg(long, value_enum, default_value_t = AgainstArg::Interpreter)]
    pub against: AgainstArg,
    /// What is verified; auto: the first GPU that the bundle has kernels for, else the CPU.
    #[arg(long, value_name = "auto|cpu|cuda:N", default_value = "auto")]
    pub device: DeviceArg,
    /// Threads [default: one per core].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
    /// Print JSON Lines.
    #[arg(long)]
    pub json: bool,
}

/// `--against`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum AgainstArg {
    /// Plain loops in float64: every operator, and its own share of the error.
    Interpreter,
    /// The CPU executor, for large networks on a GPU: every operator.
    Cpu,
    /// luminal's interpreter on the declared graph, for small networks: the output.
    Luminal,
    /// luminal_cuda on the declared graph, on the first GPU, where duodiff was built with it: the output.
    LuminalCuda,
}

impl AgainstArg {
    /// What it is called in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Interpreter => "interpreter",
            Self::Cpu => "cpu",
            Self::Luminal => "luminal",
            Self::LuminalCuda => "luminal-cuda",
        }
    }
}
