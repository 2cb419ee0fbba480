//! Checks and timings on a GPU, for the scripts of this folder: `cubins`, `correctness`, `timings`.
//!
//! Started alone, as `cargo test` does, it runs the checks once on a driver without a GPU and kernels on the emulator: what the scripts
//! find on a GPU is then about the GPU.

mod bed;
#[path = "../common/mod.rs"]
mod common;
mod correctness;
mod cubins;
mod goldens;
mod products;
mod quick;
mod steps;
mod table;

use std::env;
use std::path::Path;
use std::process::ExitCode;

use bed::Bed;
use duodiff::Pair;
use duodiff::graph::launch::Precision;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const USAGE: &str = "\
gpu cubins FOLDER TARGET    every module for a kind of GPU, such as sm_90a
gpu correctness FOLDER      forwards, trajectories and batches against the CPU
gpu timings FOLDER          products by tile, and steps of the pairs
gpu steps FOLDER            steps of CIFAR-10 in bf16, as lines for peers.py";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words[..] {
        ["cubins", folder, target] => cubins::parse(target).and_then(|target| cubins::make(Path::new(folder), target)),
        ["correctness", folder] => correctness(Path::new(folder)),
        ["timings", folder] => timings(Path::new(folder)),
        ["steps", folder] => peers(Path::new(folder)),
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

/// Every pair, and the trained one in full.
fn correctness(folder: &Path) -> Result<bool> {
    let bed = Bed::open(folder)?;
    let pairs: Vec<&dyn Pair> = duodiff::PAIRS.to_vec();
    let trained = bed::read(&duodiff::Mnist, "models/weights", "mnist");
    let mut table = table::Table::new(["what", "found", "bound", ""]);
    goldens::check(&bed, &mut table)?;
    correctness::forwards(&bed, &pairs, 3, &mut table)?;
    correctness::trajectories(&bed, &trained, 8, [Some(1000), Some(50)], &mut table)?;
    correctness::batches(&bed, &trained, &[1, 3, 8, 32, 128], &mut table)?;
    bed.introduce();
    println!("{table}");
    Ok(table.is_good())
}

fn timings(folder: &Path) -> Result<bool> {
    let bed = Bed::open(folder)?;
    let products = products::time(&bed)?;
    let pairs: [&dyn Pair; 2] = [&duodiff::Cifar10, &duodiff::Imagenet256];
    let steps = steps::time(&bed, &pairs, &Precision::ALL, &[1, 8, 32, 128])?;
    bed.introduce();
    println!("{products}\n{steps}");
    Ok(true)
}

fn peers(folder: &Path) -> Result<bool> {
    let bed = Bed::open(folder)?;
    println!("{}", steps::time(&bed, &[&duodiff::Cifar10], &[Precision::Bf16], &[1, 8, 32, 128])?);
    Ok(true)
}
