//! Cubins of all modules in a folder: made where there is a compiler, read where there is a GPU.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::{env, fs};

use duodiff::graph::emit::{self, Cache, Compiler, Cubin, Job, Search, Toolchain, Unit};
use duodiff::graph::launch::Module;
use duodiff::graph::target::{Sm, Target};

use crate::Result;

/// The file that says what the folder's cubins are for.
const TARGET: &str = "target";

/// A kind of GPU by its name.
pub fn parse(name: &str) -> Result<Sm> {
    let target: Target = name.parse()?;
    Ok(target.gpu().ok_or_else(|| format!("{target} is no GPU"))?)
}

/// Compiles every module that the target has instructions for.
pub fn make(folder: &Path, target: Sm) -> Result<bool> {
    let path = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let search = Search {
        cuda_home: path("CUDA_HOME"),
        cuda_path: path("CUDA_PATH"),
        path: env::var_os("PATH"),
        virtual_env: path("VIRTUAL_ENV"),
        host_compiler: path("NVCC_CCBIN"),
    };
    make_with(&Toolchain::find(&search)?.compiler, None, folder, target)
}

/// The same with a given compiler.
pub fn make_with(compiler: &Compiler, cache: Option<Cache>, folder: &Path, target: Sm) -> Result<bool> {
    let units = Module::all_for(target).map(Unit::of).collect::<std::result::Result<Vec<_>, _>>()?;
    let jobs: Vec<_> = units.iter().map(|unit| Job { unit, target }).collect();
    let threads = std::thread::available_parallelism()?.get();
    let options = emit::Options { threads, cache };
    fs::create_dir_all(folder)?;
    for cubin in emit::cubins(compiler, &jobs, &options, &|_| ControlFlow::Continue(()))? {
        fs::write(folder.join(format!("{}.cubin", cubin.module)), cubin.bytes)?;
    }
    fs::write(folder.join(TARGET), target.to_string())?;
    Ok(true)
}

/// The folder's cubins.
pub fn read(folder: &Path) -> Result<Vec<Cubin>> {
    let written = fs::read_to_string(folder.join(TARGET)).map_err(|why| format!("{}: {why} -- run build.sh", folder.display()))?;
    let target = parse(&written)?;
    let read = |module: Module| fs::read(folder.join(format!("{module}.cubin"))).ok().map(|bytes| Cubin { target, module, bytes });
    Ok(Module::all().filter_map(read).collect())
}
