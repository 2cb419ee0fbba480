//! Checks and timings on a GPU, for the scripts of this folder: `cubins`, `correctness`, `timings`.
//!
//! Started alone, as `cargo test` does, it runs the checks once on a driver without a GPU and kernels on the emulator: what the scripts
//! find on a GPU is then about the GPU.

mod bed;
mod ceilings;
#[path = "../common/mod.rs"]
mod common;
mod correctness;
mod cubins;
mod goldens;
#[cfg(feature = "luminal-cuda")]
mod luminal;
mod products;
mod quick;
mod start;
mod steps;
mod table;

use std::env;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use bed::Bed;
use duodiff::Pair;
use duodiff::graph::launch::Precision;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const USAGE: &str = "\
gpu cubins FOLDER TARGET    every module for a kind of GPU, such as sm_90a
gpu correctness FOLDER      forwards, trajectories and batches against the CPU
gpu timings FOLDER          ceilings, products by tile, steps and trajectories of the pairs, the start of a process
gpu first FOLDER            a process that makes one step: milliseconds until each stage was done
gpu steps FOLDER            steps of CIFAR-10 in bf16, as lines for peers.py
gpu luminal                 evaluations of CIFAR-10's deep net by luminal_cuda, if built with it";

/// Seconds of the timings after which nothing large is begun: the script ends them at eight minutes.
const TIMINGS: Duration = Duration::from_secs(300);

fn main() -> ExitCode {
    let begun = Instant::now();
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words[..] {
        ["cubins", folder, target] => cubins::parse(target).and_then(|target| cubins::make(Path::new(folder), target)),
        ["correctness", folder] => correctness(Path::new(folder)),
        ["timings", folder] => timings(Path::new(folder)),
        ["first", folder] => start::once(Path::new(folder), begun).map(|line| {
            println!("{line}");
            true
        }),
        ["steps", folder] => peers(Path::new(folder)),
        ["luminal"] => luminal(),
        // As libtest is started: with options, and with the name of some other test.
        ref options if options.iter().all(|word| word.starts_with('-')) => quick::run(),
        [_] => Ok(true),
        _ => Err(USAGE.into()),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Every pair, and the trained one in full. What cannot be checked is a row of the table: the rest goes on.
fn correctness(folder: &Path) -> Result<bool> {
    let bed = Bed::open(folder)?;
    let trained = bed::read(&duodiff::Mnist, "models/weights", "mnist");
    let mut table = table::Table::new(["what", "found", "bound", ""]);
    let checked = goldens::check(&bed, &mut table);
    table.part("recorded outputs", checked);
    let checked = correctness::trajectories(&bed, &trained, 8, [Some(1000), Some(50)], &mut table);
    table.part("trajectories", checked);
    let checked = correctness::batches(&bed, &trained, &[1, 3, 8, 32, 128], &mut table);
    table.part("batches", checked);
    for pair in duodiff::PAIRS {
        let checked = correctness::forwards(&bed, &[*pair], 3, &mut table);
        table.part("forwards", checked);
    }
    bed.introduce();
    println!("{table}");
    Ok(table.is_good())
}

/// The parts one after the other: one that fails is named in its place, and the others go on.
fn timings(folder: &Path) -> Result<bool> {
    let bed = Bed::open(folder)?;
    let deadline = Instant::now() + TIMINGS;
    let pairs: [&dyn Pair; 2] = [&duodiff::Cifar10, &duodiff::Imagenet256];
    let mut report = Report::default();
    let ceilings = report.part("ceilings", ceilings::Ceilings::measure(&bed, 1 << 32, 8192));
    // What matters most comes first.
    let time = |precisions: &[Precision]| steps::time(&bed, ceilings.as_ref(), &pairs, precisions, &[1, 8, 32, 128], deadline);
    report.part("steps in bf16", time(&[Precision::Bf16]));
    report.part("trajectories", steps::phases(&bed, &[&duodiff::Cifar10, &duodiff::Mnist], &[1, 32], 1000));
    report.part("start", start::time(folder));
    report.part("products", products::time(&bed, &[1, 8, 32, 128]));
    report.part("steps in tf32 and f32", time(&[Precision::Tf32, Precision::F32]));
    bed.introduce();
    println!("{}", report.text);
    Ok(report.is_whole)
}

/// What the parts found.
struct Report {
    text: String,
    is_whole: bool,
}

impl Default for Report {
    fn default() -> Self {
        Self { text: String::new(), is_whole: true }
    }
}

impl Report {
    /// Adds what a part found, or why it found nothing.
    fn part<P: std::fmt::Display>(&mut self, name: &str, found: Result<P>) -> Option<P> {
        let shown = found.as_ref().map_or_else(|why| format!("FAILED: {why}"), P::to_string);
        eprintln!("{name}:\n{shown}");
        self.text += &format!("{name}:\n{}\n\n", shown.trim_end());
        self.is_whole &= found.is_ok();
        found.ok()
    }
}

fn peers(folder: &Path) -> Result<bool> {
    let (bed, deadline) = (Bed::open(folder)?, Instant::now() + TIMINGS);
    println!("{}", steps::time(&bed, None, &[&duodiff::Cifar10], &[Precision::Bf16], &[1, 8, 32, 128], deadline)?);
    Ok(true)
}

/// The upstream compiler on the same graph.
#[cfg(feature = "luminal-cuda")]
fn luminal() -> Result<bool> {
    println!("{}", luminal::time(&duodiff::Cifar10, &[1, 8])?);
    Ok(true)
}

#[cfg(not(feature = "luminal-cuda"))]
fn luminal() -> Result<bool> {
    Err("built without luminal_cuda -- run build.sh with CUDA_ROOT set to a toolkit".into())
}
