//! What the environment says: where a CUDA compiler may be, and where this user's caches are.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

use duodiff::graph::emit::{Cache, EmitError, INSTALL, INSTALL_DISASSEMBLER, Search};
use etcetera::BaseStrategy;

use crate::error::{Exit, Failure};

/// Where to look for a compiler.
pub fn search() -> Search {
    Search {
        cuda_home: path("CUDA_HOME"),
        cuda_path: path("CUDA_PATH"),
        path: variable("PATH"),
        virtual_env: path("VIRTUAL_ENV"),
        host_compiler: path("NVCC_CCBIN"),
    }
}

/// The cache of cubins; none where the user has no home.
pub fn cache() -> Option<Cache> {
    let folders = etcetera::choose_base_strategy().ok()?;
    Some(Cache::new(folders.cache_dir().join("duodiff").join("cubins")))
}

/// A failure of the compiler, with what to type.
pub fn failed(why: &EmitError) -> Failure {
    let failure = Failure::new(Exit::Failed, why.to_string());
    match why {
        EmitError::Missing { .. } => failure.hint(INSTALL),
        EmitError::NoDisassembler { .. } => failure.hint(INSTALL_DISASSEMBLER),
        _ => failure,
    }
}

/// An empty variable is no variable.
fn variable(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

fn path(name: &str) -> Option<PathBuf> {
    variable(name).map(PathBuf::from)
}
