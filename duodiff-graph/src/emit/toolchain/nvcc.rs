//! nvcc as a process: one source file in a folder of its own, one output.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::{fs, io};

use crate::emit::error::cut;
use crate::emit::{EmitError, Unit};
use crate::target::Sm;

/// Flags of every compilation. What they say about arithmetic is nvcc's default, fixed here.
pub(super) const FLAGS: &[&str] =
    &["-std=c++17", "-O3", "-m64", "-ftz=false", "-prec-div=true", "-prec-sqrt=true", "--expt-relaxed-constexpr"];

/// Variables that would add flags.
const MEDDLING: &[&str] = &["NVCC_PREPEND_FLAGS", "NVCC_APPEND_FLAGS"];

/// An nvcc that answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nvcc {
    /// The executable.
    pub path: PathBuf,
    /// E.g. `13.0.88`.
    pub version: String,
    /// Everything it says about its version: it identifies the compiler.
    pub identity: String,
    /// The kinds of GPU it compiles for.
    pub known: Vec<Sm>,
}

impl Nvcc {
    /// Asks an nvcc what it is.
    pub fn probe(path: &Path) -> Result<Self, String> {
        let identity = ask(path, "--version")?;
        let codes = ask(path, "--list-gpu-code")?;
        let version = identity.split_once(", V").map_or("unknown", |(_, rest)| rest.split_whitespace().next().unwrap_or("unknown"));
        // The list leaves out the variants with a letter.
        let listed = |sm: &Sm| codes.lines().any(|line| line.trim() == sm.name().trim_end_matches('a'));
        let known = Sm::ALL.into_iter().filter(listed).collect();
        Ok(Self { path: path.to_path_buf(), version: version.to_owned(), identity, known })
    }

    /// Compiles `unit` to what `form` says: `cubin` or `ptx`.
    pub fn compile(&self, unit: &Unit, sm: Sm, form: &'static str) -> Result<Vec<u8>, EmitError> {
        let (module, target) = (unit.module, sm);
        let failed = |what: &str, error| EmitError::Run { module, target, what: what.to_owned(), error };
        let folder = tempfile::Builder::new().prefix("duodiff-").tempdir().map_err(|why| failed("no temporary folder", why))?;
        let output = format!("{module}.{form}");
        fs::write(folder.path().join(unit.file_name()), &unit.text).map_err(|why| failed("the source could not be written", why))?;
        let run = self.run(folder.path(), unit, sm, form, &output);
        let run = run.map_err(|why| failed(&format!("{} could not be run", self.path.display()), why))?;
        if !run.status.success() {
            return Err(EmitError::Compiler { module, target, output: cut(&[run.stderr, run.stdout].concat()) });
        }
        fs::read(folder.path().join(&output)).map_err(|why| failed("the compiler's output could not be read", why))
    }

    /// The flags that every source gets.
    pub fn flags(sm: Sm) -> Vec<String> {
        FLAGS.iter().map(|flag| (*flag).to_owned()).chain([format!("-arch={sm}")]).collect()
    }

    fn run(&self, folder: &Path, unit: &Unit, sm: Sm, form: &str, output: &str) -> io::Result<Output> {
        let mut command = Command::new(&self.path);
        MEDDLING.iter().for_each(|name| {
            command.env_remove(name);
        });
        // Functions that are not inlined get names with a hash of the source's path: it is told one without a folder.
        let path = format!("--orig_src_path_name={}", unit.file_name());
        command.current_dir(folder).stdin(Stdio::null()).args(Self::flags(sm)).args(["-Xcicc", &path]).args(&unit.flags);
        command.arg(format!("-{form}")).args(["-o", output]).arg(unit.file_name()).output()
    }
}

fn ask(nvcc: &Path, question: &str) -> Result<String, String> {
    let answer = Command::new(nvcc).arg(question).stdin(Stdio::null()).output().map_err(|why| format!("nvcc: {why}"))?;
    match answer.status.success() {
        true => Ok(String::from_utf8_lossy(&answer.stdout).trim().to_owned()),
        false => Err(format!("nvcc {question} fails")),
    }
}
