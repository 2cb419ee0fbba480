//! The command line as typed: parsed and checked by itself, not yet against a pair or the file system.

mod compile;
mod verify;

use std::ffi::OsString;
use std::path::PathBuf;
use std::str::FromStr;

use clap::error::{ContextKind, ContextValue};
use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};

use duodiff::graph::launch::Precision;
use duodiff::graph::spec::text::echo;
use duodiff::graph::target::Target;

use crate::error::Exit;

pub use compile::{CompileArgs, EmitArg};
pub use verify::{AgainstArg, VerifyArgs};

const EXIT_CODES: &str = "\
The answer goes to stdout, everything else to stderr.
Exit codes: 0 done; 1 failed while running; 2 usage; 3 input refused; 4 bundle does not fit this machine; \
5 not enough memory or disk; 6 verification failed; 7 the device failed; 74 output not written; 130 interrupted, what was finished is kept.";

/// Declare, compile ahead of time and sample diffusion models with two backbones or more.
#[derive(Debug, Parser)]
#[command(name = "duodiff", version, after_help = EXIT_CODES, max_term_width = 110, arg_required_else_help = false)]
#[command(disable_help_subcommand = true, disable_help_flag = true)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Print the answer and errors only.
    #[arg(short, long, global = true, conflicts_with = "verbose", display_order = 100)]
    pub quiet: bool,
    /// Print more about what is done.
    #[arg(short, long, global = true, display_order = 101)]
    pub verbose: bool,
    /// Print help.
    #[arg(short, long, global = true, display_order = 102, action = clap::ArgAction::HelpShort)]
    help: Option<bool>,
}

/// Parses a command line. Help, the version and complaints are printed here; what is left to do is to exit.
pub fn parse(typed: impl IntoIterator<Item = OsString>) -> Result<Args, Exit> {
    Args::try_parse_from(typed).map_err(|mut error| {
        shorten(&mut error);
        let exit = if error.use_stderr() { Exit::Usage } else { Exit::Done };
        match (error.print(), exit) {
            (Err(why), Exit::Done) if why.kind() != std::io::ErrorKind::BrokenPipe => Exit::Output,
            _ => exit,
        }
    })
}

/// Makes what was typed fit to be shown.
fn shorten(error: &mut clap::Error) {
    for kind in [ContextKind::InvalidArg, ContextKind::InvalidSubcommand, ContextKind::InvalidValue] {
        if let Some(ContextValue::String(typed)) = error.get(kind) {
            let shown = echo(typed);
            error.insert(kind, ContextValue::String(shown));
        }
    }
}

/// A sub-command.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the declared pairs.
    Pairs(PairsArgs),
    /// Sample images.
    Sample(SampleArgs),
    /// Compile a pair to a file that runs on this machine or another.
    Compile(CompileArgs),
    /// Print what a pair, .duo, .safetensors or .png holds.
    Inspect(InspectArgs),
    /// Evaluate one backbone once.
    Forward(ForwardArgs),
    /// Compare what is executed with a reference, operator by operator.
    Verify(VerifyArgs),
    /// Say what runs on this machine, and what does not and why.
    Doctor(DoctorArgs),
    /// Print the completion script of a shell.
    Completions(CompletionsArgs),
}

/// Arguments of `pairs`.
#[derive(Debug, ClapArgs)]
pub struct PairsArgs {
    /// Print JSON Lines.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `sample`.
#[derive(Debug, ClapArgs)]
pub struct SampleArgs {
    /// A declared pair or a .duo file [default: the embedded pair].
    #[arg(value_name = "PAIR|X.DUO")]
    pub source: Option<String>,
    /// One .safetensors file per backbone, in the order of declaration, or random:SEED.
    #[arg(long, value_name = "SHALLOW,DEEP|random:SEED")]
    pub weights: Option<WeightsArg>,
    /// Number of images.
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u64).range(1..))]
    pub count: u64,
    /// Seed of the noise; image i depends on the seed and i, never on the batch.
    #[arg(long, value_name = "S", default_value_t = 0)]
    pub seed: u64,
    /// ddim is quick; ddpm, every training timestep, is the paper's.
    #[arg(long, value_enum, default_value_t = SolverArg::Ddim)]
    pub solver: SolverArg,
    /// Number of steps [default: 50 for ddim, all for ddpm].
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..))]
    pub steps: Option<u32>,
    /// Noise of ddim: 0 none, 1 as much as ddpm.
    #[arg(long, value_name = "ETA", value_parser = non_negative)]
    pub eta: Option<f64>,
    /// Backbones in sampling order with their numbers of training timesteps, e.g. shallow:300,deep:700 [default: as declared].
    #[arg(long, value_name = "NAME:T,...")]
    pub phases: Option<String>,
    /// Class of every image, several to take turns, or random [default: random, for pairs with classes].
    #[arg(long, value_name = "CLASS,...|random")]
    pub class: Option<ClassArg>,
    /// Strength of classifier-free guidance: f_c + S (f_c - f_u) [default: as declared].
    #[arg(long, value_name = "S", value_parser = non_negative)]
    pub guidance: Option<f64>,
    /// Images evaluated together; changes the speed and no bit of any image. auto: the fewest that reach full speed.
    #[arg(long, value_name = "auto|N", default_value = "auto")]
    pub batch: BatchArg,
    /// Threads [default: one per core].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
    /// Where to run; auto: on the first GPU that the bundle has kernels for, else on the CPU.
    #[arg(long, value_name = "auto|cpu|cuda:N", default_value = "auto")]
    pub device: DeviceArg,
    /// From (x + 1) * 127.5 to 8 bits: towards zero, as DuoDiff and ADM do, or to the nearest, as U-ViT does.
    #[arg(long, value_enum, default_value_t = QuantizeArg::Trunc)]
    pub quantize: QuantizeArg,
    /// Folder of the run [default: a free one, or the one with the same settings, in out/].
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// Print JSON Lines.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `inspect`.
#[derive(Debug, ClapArgs)]
pub struct InspectArgs {
    /// A declared pair, or a file: .duo, .safetensors, .png.
    #[arg(value_name = "X")]
    pub what: String,
    /// Print this stage of the compilation of a pair.
    #[arg(long, value_enum)]
    pub stage: Option<StageArg>,
    /// Stop after this many passes.
    #[arg(long, value_name = "N", requires = "stage")]
    pub stop_after: Option<usize>,
    /// The kind of GPU that --stage launch and cuda are for [default: sm_90a].
    #[arg(long, value_name = "TARGET", requires = "stage")]
    pub target: Option<Target>,
    /// What that GPU multiplies: bf16, tf32 or f32 [default: bf16].
    #[arg(long, value_name = "PRECISION", requires = "stage")]
    pub precision: Option<Precision>,
    /// Images of --stage launch that are evaluated together [default: 1].
    #[arg(long, value_name = "N", requires = "stage", value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub batch: Option<u32>,
    /// Print JSON Lines.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `forward`.
#[derive(Debug, ClapArgs)]
pub struct ForwardArgs {
    /// A declared pair or a .duo file [default: the embedded pair].
    #[arg(value_name = "PAIR|X.DUO")]
    pub source: Option<String>,
    /// The same, as an option.
    #[arg(long, value_name = "PAIR|X.DUO", conflicts_with = "source")]
    pub pair: Option<String>,
    /// One of its backbones.
    #[arg(long)]
    pub net: String,
    /// The backbone's .safetensors file, or random:SEED [default: those of the bundle or the embedded pair].
    #[arg(long, value_name = "W|random:SEED")]
    pub weights: Option<WeightsArg>,
    /// A .safetensors file with x [B, C, H, W], t [B] (training timesteps) and, for pairs with classes, y [B].
    #[arg(long, value_name = "CASE.safetensors")]
    pub input: PathBuf,
    /// The file to write: eps [B, C, H, W], the network's output.
    #[arg(long, value_name = "OUT.safetensors")]
    pub output: PathBuf,
    /// Threads [default: one per core].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
    /// Where to run; auto: on the first GPU that the bundle has kernels for, else on the CPU.
    #[arg(long, value_name = "auto|cpu|cuda:N", default_value = "auto")]
    pub device: DeviceArg,
    /// Print JSON Lines.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `doctor`.
#[derive(Debug, ClapArgs)]
pub struct DoctorArgs {
    /// A .duo file: where it runs.
    #[arg(value_name = "X.DUO")]
    pub bundle: Option<PathBuf>,
    /// Print JSON Lines.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `completions`.
#[derive(Debug, ClapArgs)]
pub struct CompletionsArgs {
    /// The shell.
    pub shell: clap_complete::Shell,
}

/// `--solver`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SolverArg {
    /// Ancestral sampling.
    Ddpm,
    /// Denoising diffusion implicit models.
    Ddim,
}

/// `--quantize`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum QuantizeArg {
    /// Towards zero, as DuoDiff and ADM do.
    Trunc,
    /// To the nearest, as U-ViT does.
    Round,
}

/// `--stage`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StageArg {
    /// The solver's rows.
    Steps,
    /// luminal's primitive graph.
    Build,
    /// The program of named operators.
    Raise,
    /// The program after the passes.
    Optimize,
    /// The plan: order, offsets, peak.
    Plan,
    /// What is launched on a GPU: kernels, grids, arguments.
    Launch,
    /// The kernels' sources for a GPU.
    Cuda,
}

/// `--weights`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WeightsArg {
    /// Made up, for benchmarks.
    Random(u64),
    /// One file per backbone.
    Files(Vec<PathBuf>),
}

impl FromStr for WeightsArg {
    type Err = String;

    fn from_str(typed: &str) -> Result<Self, String> {
        if let Some(seed) = typed.strip_prefix("random:") {
            let seed = seed.parse().map_err(|_| format!("the seed {:?} is not a whole number -- write e.g. random:0", echo(seed)))?;
            return Ok(Self::Random(seed));
        }
        let files: Vec<_> = typed.split(',').map(PathBuf::from).collect();
        match files.iter().any(|file| file.as_os_str().is_empty()) {
            true => Err("a file name is empty -- write one file per backbone with commas between them".to_string()),
            false => Ok(Self::Files(files)),
        }
    }
}

/// `--class`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClassArg {
    /// Drawn from the seed and the image's index.
    Random,
    /// Image i has class i modulo their number.
    Turns(Vec<u32>),
}

impl FromStr for ClassArg {
    type Err = String;

    fn from_str(typed: &str) -> Result<Self, String> {
        if typed == "random" {
            return Ok(Self::Random);
        }
        let class = |text: &str| text.parse().map_err(|_| format!("{:?} is no class -- write numbers, e.g. 3 or 0,1,2", echo(text)));
        typed.split(',').map(class).collect::<Result<_, _>>().map(Self::Turns)
    }
}

/// `--batch`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchArg {
    /// Chosen for the device.
    Auto,
    /// This many.
    Images(usize),
}

impl FromStr for BatchArg {
    type Err = String;

    fn from_str(typed: &str) -> Result<Self, String> {
        match (typed, typed.parse()) {
            ("auto", _) => Ok(Self::Auto),
            (_, Ok(images)) if images > 0 => Ok(Self::Images(images)),
            _ => Err("neither auto nor a number from 1 -- write e.g. --batch 4".to_string()),
        }
    }
}

/// `--device`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceArg {
    /// The best one there is.
    Auto,
    /// This machine's cores.
    Cpu,
    /// The GPU of a number.
    Cuda(usize),
}

impl FromStr for DeviceArg {
    type Err = String;

    fn from_str(typed: &str) -> Result<Self, String> {
        match (typed, typed.strip_prefix("cuda:").map(str::parse)) {
            ("auto", _) => Ok(Self::Auto),
            ("cpu", _) => Ok(Self::Cpu),
            (_, Some(Ok(ordinal))) => Ok(Self::Cuda(ordinal)),
            _ => Err("no such device -- write --device cpu, or cuda:0 for the first GPU".to_string()),
        }
    }
}

fn non_negative(typed: &str) -> Result<f64, String> {
    match typed.parse::<f64>() {
        Ok(number) if number.is_finite() && number >= 0.0 => Ok(number),
        _ => Err("not a finite number from 0".to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        <Args as clap::CommandFactory>::command().debug_assert();
    }

    #[test]
    fn weights_are_files_or_a_seed() {
        assert_eq!("random:7".parse(), Ok(WeightsArg::Random(7)));
        assert_eq!("a,b c".parse(), Ok(WeightsArg::Files(vec!["a".into(), "b c".into()])));
        for wrong in ["", "a,", "random:", "random:x", "random:-1"] {
            assert!(wrong.parse::<WeightsArg>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn small_values_are_checked() {
        assert_eq!("auto".parse(), Ok(BatchArg::Auto));
        assert_eq!("3".parse(), Ok(BatchArg::Images(3)));
        assert!("0".parse::<BatchArg>().is_err());
        assert_eq!("0,2".parse(), Ok(ClassArg::Turns(vec![0, 2])));
        assert!("-1".parse::<ClassArg>().is_err());
        assert!(["nan", "inf", "-1", "x"].iter().all(|wrong| non_negative(wrong).is_err()));
        assert_eq!("cuda:12".parse(), Ok(DeviceArg::Cuda(12)));
        assert!(["", "cuda", "cuda:", "cuda:-1", "cuda:x", "gpu"].iter().all(|wrong| wrong.parse::<DeviceArg>().is_err()));
    }
}
