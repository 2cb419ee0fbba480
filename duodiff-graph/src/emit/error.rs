//! Why there are no cubins.

use std::io;
use std::path::PathBuf;

use crate::launch::{LaunchError, Module};
use crate::target::Sm;

/// How the compiler of CUDA is installed where there is none.
pub const INSTALL: &str = "pip install \"nvidia-cuda-nvcc==13.0.*\" \"nvidia-cuda-runtime==13.0.*\" \"nvidia-cuda-crt==13.0.*\" \
\"nvidia-nvvm==13.0.*\" \"nvidia-cuda-cccl==13.0.*\" \"nvidia-cuda-nvrtc==13.0.*\"";

/// How the disassembler is installed where there is none.
pub const INSTALL_DISASSEMBLER: &str = "pip install \"nvidia-cuda-nvdisasm==13.*\"";

/// A compiler that is missing or does not do what it should.
#[derive(Debug, thiserror::Error)]
pub enum EmitError {
    /// No compiler at all.
    #[error("no CUDA compiler (nvcc with a host compiler, or NVRTC) was found -- looked at: {looked}")]
    Missing {
        /// Every place, and what was there.
        looked: String,
    },
    /// A compiler that is too old or too new for a target.
    #[error("{compiler} at {} does not compile for {target}, only for {known} -- set CUDA_HOME to another toolkit", .path.display())]
    Target {
        /// The compiler.
        compiler: String,
        /// Its file.
        path: PathBuf,
        /// What was asked for.
        target: Sm,
        /// What it can do.
        known: String,
    },
    /// The compiler refused a source.
    #[error("{module} for {target}: the compiler failed\n{output}")]
    Compiler {
        /// The module.
        module: Module,
        /// The target.
        target: Sm,
        /// What the compiler said, cut.
        output: String,
    },
    /// The compiler could not be run, or its files not be read.
    #[error("{module} for {target}: {what}: {error}")]
    Run {
        /// The module.
        module: Module,
        /// The target.
        target: Sm,
        /// What was tried.
        what: String,
        /// Why it failed.
        #[source]
        error: io::Error,
    },
    /// The compiler made something else than a cubin.
    #[error("{module} for {target}: {compiler} wrote {found} bytes that are no ELF file -- install the compiler again")]
    NoElf {
        /// The module.
        module: Module,
        /// The target.
        target: Sm,
        /// The compiler.
        compiler: String,
        /// Size of what it wrote.
        found: usize,
    },
    /// No disassembler beside the compiler.
    #[error("no nvdisasm was found in {}", .looked.display())]
    NoDisassembler {
        /// The folder that was looked at.
        looked: PathBuf,
    },
    /// A plan or batch that no GPU can run.
    #[error(transparent)]
    Launch(#[from] LaunchError),
    /// Kernels that this library does not have.
    #[error("the kernels {module} need `{name}`, which is not among the kernel sources -- use --precision f32")]
    NoSource {
        /// The module.
        module: Module,
        /// The file.
        name: String,
    },
    /// The watcher ended the compilation.
    #[error("stopped")]
    Stopped,
}

/// Longest piece of a compiler's output in a message, in lines and in characters of a line.
const LINES: usize = 30;
const COLUMNS: usize = 240;

/// What a compiler said, fit to be shown: its first lines, without control characters.
pub fn cut(output: &[u8]) -> String {
    let text = String::from_utf8_lossy(output);
    let mut lines = text.lines().map(str::trim_end).filter(|line| !line.is_empty());
    let shown = |line: &str| -> String {
        let harmless = line.chars().map(|c| if c.is_control() { ' ' } else { c });
        harmless.take(COLUMNS).collect()
    };
    let mut kept: Vec<String> = lines.by_ref().take(LINES).map(shown).collect();
    match lines.count() {
        0 if kept.is_empty() => kept.push("(it said nothing)".to_owned()),
        0 => {}
        more => kept.push(format!("… {more} more lines")),
    }
    kept.join("\n")
}
