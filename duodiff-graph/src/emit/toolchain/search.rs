//! Where a compiler of CUDA is looked for.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The environment, as far as it says where a compiler may be. The caller reads it; tests make their own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// `CUDA_HOME`.
    pub cuda_home: Option<PathBuf>,
    /// `CUDA_PATH`.
    pub cuda_path: Option<PathBuf>,
    /// `PATH`.
    pub path: Option<OsString>,
    /// `VIRTUAL_ENV`.
    pub virtual_env: Option<PathBuf>,
    /// `NVCC_CCBIN`, the host compiler that nvcc is told to use.
    pub host_compiler: Option<PathBuf>,
}

/// A folder that may be a CUDA toolkit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// How it was found.
    pub from: &'static str,
    /// The folder, or why there is none.
    pub root: Result<PathBuf, String>,
}

/// Prints the folder of the toolkit's wheels. Nothing is taken from the working folder.
const PYTHON: &str = "import sys; sys.path = [p for p in sys.path if p]; import importlib.util; \
print(list(importlib.util.find_spec('nvidia.cu13').submodule_search_locations)[0])";

impl Search {
    /// The places, best first; Python is asked last and only if `next` gets there.
    pub(super) fn places(&self) -> impl Iterator<Item = Place> + '_ {
        let from_variable = |from, home: &Option<PathBuf>| Place { from, root: home.clone().ok_or_else(|| "not set".to_owned()) };
        let first = [
            from_variable("CUDA_HOME", &self.cuda_home),
            from_variable("CUDA_PATH", &self.cuda_path),
            Place { from: "PATH", root: self.on_path("nvcc").and_then(toolkit_of).ok_or_else(|| "no nvcc".to_owned()) },
            Place { from: "VIRTUAL_ENV", root: self.in_virtual_env() },
        ];
        first.into_iter().chain(std::iter::once_with(|| Place { from: "python3", root: self.in_python() }))
    }

    /// An executable on `PATH`.
    pub(super) fn on_path(&self, name: &str) -> Option<PathBuf> {
        let name = format!("{name}{}", std::env::consts::EXE_SUFFIX);
        std::env::split_paths(self.path.as_ref()?).map(|folder| folder.join(&name)).find(|file| file.is_file())
    }

    /// Whether nvcc will find a compiler for the host, whose preprocessor it needs.
    pub(super) fn has_host_compiler(&self) -> bool {
        self.host_compiler.is_some() || self.on_path(if cfg!(windows) { "cl" } else { "gcc" }).is_some()
    }

    fn in_virtual_env(&self) -> Result<PathBuf, String> {
        let home = self.virtual_env.as_ref().ok_or("not set")?;
        let versions = std::fs::read_dir(home.join("lib")).into_iter().flatten().flatten().map(|entry| entry.path());
        let mut folders: Vec<PathBuf> = versions.chain([home.join("Lib")]).map(|lib| lib.join("site-packages/nvidia/cu13")).collect();
        // The order of a folder's entries is not fixed.
        folders.sort();
        folders.into_iter().rfind(|folder| folder.is_dir()).ok_or_else(|| "no package nvidia.cu13".to_owned())
    }

    fn in_python(&self) -> Result<PathBuf, String> {
        let python = self.on_path("python3").ok_or("not on PATH")?;
        let mut command = Command::new(python);
        command.args(["-c", PYTHON]).stdin(Stdio::null());
        let printed = command.output().map_err(|why| why.to_string())?;
        let folder = PathBuf::from(String::from_utf8_lossy(&printed.stdout).trim());
        if printed.status.success() && folder.is_dir() { Ok(folder) } else { Err("no package nvidia.cu13".to_owned()) }
    }
}

/// The toolkit that an nvcc belongs to.
fn toolkit_of(nvcc: PathBuf) -> Option<PathBuf> {
    nvcc.parent().and_then(Path::parent).map(Path::to_path_buf)
}
