//! The checks once without a GPU: a driver that has none, kernels on the emulator, pairs as small as can be.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use duodiff::graph::emit::{Cache, Compiler, Nvcc};
use duodiff::graph::launch::Precision;
use duodiff::graph::target::Sm;
use fake_driver::Driver;

use crate::bed::{Bed, Model};
use crate::table::Table;
use crate::{Result, ceilings, common::pairs, correctness, cubins, goldens, start, steps};

pub fn run() -> Result<bool> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/emulator/nvcc");
    let Some((_driver, nvcc)) = Driver::take().zip(Nvcc::probe(&script).ok()) else {
        println!("skipped: needs Linux and a C++ compiler (c++ on PATH, or CXX)");
        return Ok(true);
    };
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("gpu");
    let cache = Cache::new(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("emulated"));
    cubins::make_with(&Compiler::Nvcc(nvcc), Some(cache), &folder, Sm::Sm90a)?;
    let bed = Bed::open(&folder)?;
    let mut table = Table::new(["what", "found", "bound", ""]);
    goldens::check(&bed, &mut table)?;
    correctness::forwards(&bed, &[&pairs::Tiny, &pairs::Odd], 2, &mut table)?;
    let model = Model::random(&pairs::Uncond);
    correctness::batches(&bed, &model, &[1, 2, 3], &mut table)?;
    println!("On a driver without a GPU, kernels on the emulator:");
    println!("{table}");
    timings(&bed, &model)?;
    Ok(table.is_good())
}

/// The timings, whose numbers mean nothing here.
fn timings(bed: &Bed, model: &Model) -> Result<()> {
    let ceilings = ceilings::Ceilings::measure(bed, 1 << 12, 32)?;
    let deadline = Instant::now() + Duration::from_secs(600);
    let steps = steps::time(bed, Some(&ceilings), &[&pairs::Uncond], &[Precision::Bf16], &[1], deadline)?.to_string();
    let late = steps::time(bed, None, &[&pairs::Uncond], &[Precision::Bf16], &[1], Instant::now() - Duration::from_secs(1))?.to_string();
    let phases = steps::phases(bed, &[&pairs::Uncond], &[1], 4)?.to_string();
    let stages = start::first_step(model, &bed.cubins, Instant::now())?;
    println!("{ceilings}\n{steps}{phases}{stages}");
    let lines = [&steps, &late, &phases].map(|table| table.lines().count());
    match late.contains("left out") && lines == [2; 3] && stages.split(' ').count() == 4 {
        true => Ok(()),
        false => Err(format!("{lines:?} lines, four stages in {stages}").into()),
    }
}
