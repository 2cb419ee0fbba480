//! A toolkit whose nvcc is the script in `tests/fake-nvcc`.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::emit::{Job, Search, Toolchain, Unit};
use crate::launch::Module;
use crate::target::Sm;

/// A folder like a CUDA toolkit, gone with this value.
pub struct Fake {
    folder: tempfile::TempDir,
}

/// The script. A link to it cannot be busy, as a copy could be while another thread starts a process.
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fake-nvcc/nvcc");

impl Fake {
    pub fn new() -> Self {
        let fake = Self { folder: tempfile::tempdir().unwrap() };
        fs::create_dir(fake.root().join("bin")).unwrap();
        symlink(SCRIPT, fake.bin().join("nvcc")).unwrap();
        symlink("/bin/sh", fake.bin().join("gcc")).unwrap();
        fake
    }

    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    pub fn bin(&self) -> PathBuf {
        self.root().join("bin")
    }

    /// An environment in which it is on PATH.
    pub fn search(&self) -> Search {
        Search { path: Some(self.bin().into_os_string()), ..Search::default() }
    }

    pub fn toolchain(&self) -> Toolchain {
        Toolchain::find(&self.search()).unwrap()
    }

    /// The arguments of every compilation so far.
    pub fn calls(&self) -> Vec<String> {
        let calls = fs::read_to_string(self.bin().join("calls")).unwrap_or_default();
        calls.lines().map(str::to_owned).collect()
    }
}

/// Every unit for every target.
pub fn jobs<'a>(units: &'a [Unit], targets: &[Sm]) -> Vec<Job<'a>> {
    targets.iter().flat_map(|target| units.iter().map(|unit| Job { unit, target: *target })).collect()
}

/// A unit of this text.
pub fn unit(module: Module, text: &str) -> Unit {
    Unit { module, text: text.to_owned(), flags: vec![format!("-D{module}")] }
}
