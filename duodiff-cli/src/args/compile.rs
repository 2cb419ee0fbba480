//! Arguments of `compile`.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueEnum};
use duodiff::graph::launch::Precision;
use duodiff::graph::target::{Sm, Target};

use super::WeightsArg;

/// Arguments of `compile`.
#[derive(Debug, Args)]
pub struct CompileArgs {
    /// A declared pair.
    #[arg(value_name = "PAIR")]
    pub pair: String,
    /// One .safetensors file per backbone, in the order of declaration, or random:SEED.
    #[arg(long, value_name = "SHALLOW,DEEP|random:SEED")]
    pub weights: Option<WeightsArg>,
    /// What it will run on: cpu, sm_80, sm_86, sm_89, sm_90, sm_90a, sm_100, sm_120; several with commas.
    #[arg(long, value_name = "TARGET,...", default_value = "cpu")]
    pub target: TargetsArg,
    /// Numbers of images evaluated together that a GPU prepares for; a run takes the one that fits best.
    #[arg(long, value_name = "N,...", value_delimiter = ',', default_value = "1,8,32,128", value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub batch: Vec<u32>,
    /// What a GPU multiplies: bf16, tf32 or f32. Sums are float32 always.
    #[arg(long, value_name = "PRECISION", default_value = "bf16")]
    pub precision: Precision,
    /// Write these too, into a folder beside the output: X.emit for X.duo.
    #[arg(long, value_enum, value_name = "FORM,...", value_delimiter = ',')]
    pub emit: Vec<EmitArg>,
    /// Compile every kernel anew.
    #[arg(long)]
    pub no_cache: bool,
    /// Compilers that run at once [default: one per core].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
    /// Leave the weights out; whoever samples gives --weights, and their hashes must be the same.
    #[arg(long)]
    pub without_weights: bool,
    /// Write an executable: this command, with the pair inside as its default.
    #[arg(long)]
    pub standalone: bool,
    /// The file to write.
    #[arg(short, long, value_name = "X.DUO")]
    pub output: PathBuf,
    /// Print JSON Lines.
    #[arg(long)]
    pub json: bool,
}

/// `--emit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum EmitArg {
    /// The source of every module.
    Cuda,
    /// The assembly that the compiler makes of it.
    Ptx,
    /// The instructions of the GPU.
    Sass,
    /// The plan.
    Plan,
}

/// `--target`: each once, in a fixed order, whatever was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetsArg(pub BTreeSet<Target>);

impl TargetsArg {
    /// The kinds of GPU among them.
    pub fn gpus(&self) -> Vec<Sm> {
        self.0.iter().filter_map(|target| target.gpu()).collect()
    }
}

impl FromStr for TargetsArg {
    type Err = String;

    fn from_str(typed: &str) -> Result<Self, String> {
        let targets: Result<_, _> = typed.split(',').map(str::parse).collect();
        targets.map(Self).map_err(|why: duodiff::graph::target::TargetError| why.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_sorted_and_counted_once() {
        let targets: TargetsArg = "sm_90a,cpu,sm_80,sm_90a".parse().unwrap();
        assert_eq!(targets, "cpu,sm_80,sm_90a".parse().unwrap());
        assert_eq!(targets.gpus(), [Sm::Sm80, Sm::Sm90a]);
        assert!("".parse::<TargetsArg>().is_err() && "cpu,".parse::<TargetsArg>().is_err());
        assert!("cpu,sm90a".parse::<TargetsArg>().unwrap_err().contains("did you mean `sm_90a`?"));
    }
}
