//! The compiler of CUDA: nvcc where there is one with a host compiler, else NVRTC.

mod nvcc;
mod nvrtc;
mod search;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

pub use nvcc::Nvcc;
pub use nvrtc::Nvrtc;
pub use search::Search;

use super::error::cut;
use super::{Cubin, EmitError, Unit};
use crate::target::Sm;

/// A compiler and the toolkit it is part of.
#[derive(Clone, Debug)]
pub struct Toolchain {
    /// The compiler.
    pub compiler: Compiler,
    /// How it was found, e.g. `CUDA_HOME`.
    pub from: &'static str,
    /// Folder of the toolkit.
    pub root: PathBuf,
}

/// What compiles.
#[derive(Clone, Debug)]
pub enum Compiler {
    /// The command.
    Nvcc(Nvcc),
    /// The library.
    Nvrtc(Nvrtc),
}

impl Toolchain {
    /// The first nvcc that works, else the first NVRTC.
    pub fn find(search: &Search) -> Result<Self, EmitError> {
        let mut looked = Vec::new();
        let mut toolkits = Vec::new();
        for place in search.places() {
            match place.root {
                Err(why) => looked.push(format!("{} ({why})", place.from)),
                Ok(root) => match Self::nvcc(search, place.from, &root) {
                    Ok(found) => return Ok(found),
                    Err(why) => toolkits.push((place.from, root, why)),
                },
            }
        }
        for (from, root, without) in toolkits {
            match Self::nvrtc(from, &root) {
                Ok(found) => return Ok(found),
                Err(why) => looked.push(format!("{from} ({}: {without}, {why})", root.display())),
            }
        }
        Err(EmitError::Missing { looked: looked.join(", ") })
    }

    fn nvcc(search: &Search, from: &'static str, root: &Path) -> Result<Self, String> {
        let path = root.join("bin").join(format!("nvcc{}", std::env::consts::EXE_SUFFIX));
        if !path.is_file() {
            return Err("no bin/nvcc".to_owned());
        }
        if !search.has_host_compiler() {
            return Err("nvcc, but no gcc on PATH for it".to_owned());
        }
        Ok(Self { compiler: Compiler::Nvcc(Nvcc::probe(&path)?), from, root: root.to_path_buf() })
    }

    fn nvrtc(from: &'static str, root: &Path) -> Result<Self, String> {
        let path = Nvrtc::locate(root).ok_or("no NVRTC")?;
        Ok(Self { compiler: Compiler::Nvrtc(Nvrtc::probe(&path, root)?), from, root: root.to_path_buf() })
    }

    /// The disassembler beside the compiler.
    pub fn disassembler(&self) -> Result<PathBuf, EmitError> {
        let folder = self.root.join("bin");
        let path = folder.join(format!("nvdisasm{}", std::env::consts::EXE_SUFFIX));
        if path.is_file() { Ok(path) } else { Err(EmitError::NoDisassembler { looked: folder }) }
    }

    /// The instructions of a cubin as text.
    pub fn disassemble(&self, cubin: &Cubin) -> Result<Vec<u8>, EmitError> {
        let (module, target) = (cubin.module, cubin.target);
        let path = self.disassembler()?;
        let failed = |what: &str, error| EmitError::Run { module, target, what: what.to_owned(), error };
        let mut file = tempfile::NamedTempFile::new().map_err(|why| failed("no temporary file", why))?;
        file.write_all(&cubin.bytes).map_err(|why| failed("the cubin could not be written", why))?;
        let ran = Command::new(&path).arg("-c").arg(file.path()).stdin(Stdio::null()).output();
        let ran = ran.map_err(|why| failed(&format!("{} could not be run", path.display()), why))?;
        if ran.status.success() { Ok(ran.stdout) } else { Err(EmitError::Compiler { module, target, output: cut(&ran.stderr) }) }
    }
}

impl Compiler {
    /// Its file.
    pub fn path(&self) -> &Path {
        match self {
            Self::Nvcc(nvcc) => &nvcc.path,
            Self::Nvrtc(nvrtc) => &nvrtc.path,
        }
    }

    /// Name and version, e.g. `nvcc 13.0.88`.
    pub fn name(&self) -> String {
        match self {
            Self::Nvcc(nvcc) => format!("nvcc {}", nvcc.version),
            Self::Nvrtc(nvrtc) => format!("NVRTC {}", nvrtc.version),
        }
    }

    /// The kinds of GPU it compiles for.
    pub fn known(&self) -> &[Sm] {
        match self {
            Self::Nvcc(nvcc) => &nvcc.known,
            Self::Nvrtc(nvrtc) => &nvrtc.known,
        }
    }

    /// Refuses a kind of GPU that it does not compile for.
    pub fn check<'a>(&self, targets: impl IntoIterator<Item = &'a Sm>) -> Result<(), EmitError> {
        let Some(target) = targets.into_iter().find(|target| !self.known().contains(target)) else { return Ok(()) };
        let known = self.known().iter().map(|sm| sm.name()).collect::<Vec<_>>().join(", ");
        Err(EmitError::Target { compiler: self.name(), path: self.path().to_path_buf(), target: *target, known })
    }

    /// What the bytes it makes depend on, besides sources, flags and targets.
    pub(super) fn identity(&self) -> String {
        match self {
            Self::Nvcc(nvcc) => nvcc.identity.clone(),
            Self::Nvrtc(nvrtc) => nvrtc.identity.clone(),
        }
    }

    /// The flags of every compilation.
    pub(super) fn fixed_flags(&self) -> &'static [&'static str] {
        match self {
            Self::Nvcc(_) => nvcc::FLAGS,
            Self::Nvrtc(_) => nvrtc::FLAGS,
        }
    }

    /// Compiles to a cubin.
    pub fn cubin(&self, unit: &Unit, target: Sm) -> Result<Vec<u8>, EmitError> {
        let bytes = self.compile(unit, target, "cubin")?;
        match bytes.starts_with(b"\x7fELF") {
            true => Ok(bytes),
            false => Err(EmitError::NoElf { module: unit.module, target, compiler: self.name(), found: bytes.len() }),
        }
    }

    /// Compiles to PTX, the text between source and instructions.
    pub fn ptx(&self, unit: &Unit, target: Sm) -> Result<Vec<u8>, EmitError> {
        self.compile(unit, target, "ptx")
    }

    fn compile(&self, unit: &Unit, target: Sm, form: &'static str) -> Result<Vec<u8>, EmitError> {
        match self {
            Self::Nvcc(nvcc) => nvcc.compile(unit, target, form),
            Self::Nvrtc(nvrtc) => nvrtc.compile(unit, target, form),
        }
    }
}
