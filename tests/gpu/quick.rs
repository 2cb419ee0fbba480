//! The checks once without a GPU: a driver that has none, kernels on the emulator, pairs as small as can be.

use std::path::{Path, PathBuf};

use duodiff::graph::emit::{Cache, Compiler, Nvcc};
use duodiff::graph::target::Sm;
use fake_driver::Driver;

use crate::bed::{Bed, Model};
use crate::table::Table;
use crate::{Result, common::pairs, correctness, cubins, goldens};

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
    Ok(table.is_good())
}
