//! NVRTC, the compiler of CUDA as a library: it needs no host compiler. Loaded from the toolkit, never linked.

use std::ffi::{CString, c_char, c_int, c_void};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, ptr};

use libloading::{Library, Symbol};

use crate::emit::error::cut;
use crate::emit::{EmitError, Unit};
use crate::target::Sm;

/// What every compilation is told, besides the target and where the toolkit's headers are.
pub(super) const FLAGS: &[&str] = &["-std=c++17", "--ftz=false", "--prec-div=true", "--prec-sqrt=true"];

/// Folders of a toolkit that hold its libraries.
const FOLDERS: &[&str] = &["lib64", "lib", "bin", "targets/x86_64-linux/lib"];

/// `nvrtcResult`; 0 is success.
type Status = c_int;

/// `nvrtcProgram`.
type Program = *mut c_void;

/// An NVRTC that answered.
#[derive(Clone, Debug)]
pub struct Nvrtc {
    /// The library.
    pub path: PathBuf,
    /// E.g. `13.0`.
    pub version: String,
    /// Version and size: releases with the same version differ.
    pub identity: String,
    /// The kinds of GPU it compiles for.
    pub known: Vec<Sm>,
    include: PathBuf,
    library: Arc<Library>,
    _builtins: Option<Arc<Library>>,
}

impl Nvrtc {
    /// The library in a toolkit's folders, if there is one.
    pub fn locate(root: &Path) -> Option<PathBuf> {
        FOLDERS.iter().find_map(|folder| library_in(&root.join(folder), &["libnvrtc.so", "libnvrtc.dylib", "nvrtc64_"]))
    }

    /// Loads a library and asks it what it is.
    pub fn probe(path: &Path, root: &Path) -> Result<Self, String> {
        // NVRTC asks the system for its second library by name, which finds the one that is loaded already.
        let builtins = path.parent().and_then(|folder| library_in(folder, &["libnvrtc-builtins.so", "nvrtc-builtins64_"]));
        let builtins = builtins.map(|path| load(&path)).transpose()?;
        let mut nvrtc = Self {
            path: path.to_path_buf(),
            version: String::new(),
            identity: String::new(),
            known: Vec::new(),
            include: root.join("include"),
            library: Arc::new(load(path)?),
            _builtins: builtins.map(Arc::new),
        };
        let (mut major, mut minor, mut count) = (0, 0, 0);
        nvrtc.call::<unsafe extern "C" fn(*mut c_int, *mut c_int) -> Status>("nvrtcVersion", |version| {
            // SAFETY: two numbers to write to.
            unsafe { version(&raw mut major, &raw mut minor) }
        })?;
        type Numbers = unsafe extern "C" fn(*mut c_int) -> Status;
        // SAFETY: one number to write to.
        nvrtc.call::<Numbers>("nvrtcGetNumSupportedArchs", |number| unsafe { number(&raw mut count) })?;
        let mut archs = vec![0; usize::try_from(count).unwrap_or_default()];
        // SAFETY: as many numbers as it said it has.
        nvrtc.call::<Numbers>("nvrtcGetSupportedArchs", |numbers| unsafe { numbers(archs.as_mut_ptr()) })?;
        let listed = |sm: &Sm| archs.contains(&((sm.capability().0 * 10 + sm.capability().1) as c_int));
        nvrtc.version = format!("{major}.{minor}");
        let size = fs::metadata(path).map_or(0, |file| file.len());
        nvrtc.identity = format!("NVRTC {major}.{minor}, {size} bytes");
        nvrtc.known = Sm::ALL.into_iter().filter(listed).collect();
        Ok(nvrtc)
    }

    /// Compiles `unit` to what `form` says: `cubin` or `ptx`.
    pub fn compile(&self, unit: &Unit, sm: Sm, form: &'static str) -> Result<Vec<u8>, EmitError> {
        let compiled = Compilation::new(self, unit).and_then(|mut compilation| {
            compilation.run(&self.flags(unit, sm, form))?;
            match form {
                "ptx" => compilation.bytes("nvrtcGetPTXSize", "nvrtcGetPTX"),
                _ => compilation.bytes("nvrtcGetCUBINSize", "nvrtcGetCUBIN"),
            }
        });
        let mut bytes =
            compiled.map_err(|output| EmitError::Compiler { module: unit.module, target: sm, output: cut(output.as_bytes()) })?;
        if form == "ptx" && bytes.last() == Some(&0) {
            bytes.pop();
        }
        Ok(bytes)
    }

    fn flags(&self, unit: &Unit, sm: Sm, form: &str) -> Vec<String> {
        // From a virtual architecture it makes PTX, from a real one a cubin.
        let arch = if form == "ptx" { sm.name().replace("sm_", "compute_") } else { sm.name().to_owned() };
        let include = ["".as_ref(), "cccl".as_ref()].map(|folder: &Path| format!("-I{}", self.include.join(folder).display()));
        let fixed = FLAGS.iter().map(|flag| (*flag).to_owned()).chain([format!("--gpu-architecture={arch}")]);
        fixed.chain(include).chain(unit.flags.iter().cloned()).collect()
    }

    /// Calls a function of the library. `T` is its type in the toolkit's header.
    fn call<T>(&self, name: &str, call: impl FnOnce(Symbol<'_, T>) -> Status) -> Result<(), String> {
        // SAFETY: the callers of this private function give each name the type that the toolkit's header gives it.
        let symbol = unsafe { self.library.get::<T>(name.as_bytes()) }.map_err(|why| format!("{}: {why}", self.path.display()))?;
        match call(symbol) {
            0 => Ok(()),
            status => Err(format!("{name} failed with status {status}")),
        }
    }
}

/// An `nvrtcProgram`, destroyed with this value.
struct Compilation<'a> {
    nvrtc: &'a Nvrtc,
    program: Program,
}

impl<'a> Compilation<'a> {
    fn new(nvrtc: &'a Nvrtc, unit: &Unit) -> Result<Self, String> {
        let text = c_string(&unit.text)?;
        let name = c_string(&unit.file_name())?;
        let mut program: Program = ptr::null_mut();
        type Strings = *const *const c_char;
        type Create = unsafe extern "C" fn(*mut Program, *const c_char, *const c_char, c_int, Strings, Strings) -> Status;
        nvrtc.call::<Create>("nvrtcCreateProgram", |create| {
            // SAFETY: both strings end in 0 and outlive the call, which copies them; no headers are given.
            unsafe { create(&raw mut program, text.as_ptr(), name.as_ptr(), 0, ptr::null(), ptr::null()) }
        })?;
        Ok(Self { nvrtc, program })
    }

    /// Compiles; a failure is what the compiler said.
    fn run(&mut self, flags: &[String]) -> Result<(), String> {
        let flags = flags.iter().map(|flag| c_string(flag)).collect::<Result<Vec<_>, _>>()?;
        let pointers: Vec<*const c_char> = flags.iter().map(|flag| flag.as_ptr()).collect();
        let count = pointers.len() as c_int;
        type Compile = unsafe extern "C" fn(Program, c_int, *const *const c_char) -> Status;
        let compiled = self.nvrtc.call::<Compile>("nvrtcCompileProgram", |compile| {
            // SAFETY: a live program and `count` strings that outlive the call.
            unsafe { compile(self.program, count, pointers.as_ptr()) }
        });
        compiled.map_err(|status| {
            let log = self.bytes("nvrtcGetProgramLogSize", "nvrtcGetProgramLog").unwrap_or_default();
            let log = String::from_utf8_lossy(&log).trim_end_matches('\0').to_owned();
            if log.trim().is_empty() { status } else { log }
        })
    }

    /// What a pair of functions for size and content gives.
    fn bytes(&self, size: &str, content: &str) -> Result<Vec<u8>, String> {
        type Size = unsafe extern "C" fn(Program, *mut usize) -> Status;
        type Content = unsafe extern "C" fn(Program, *mut c_char) -> Status;
        let mut length = 0_usize;
        // SAFETY: a live program, and a number to write to.
        self.nvrtc.call::<Size>(size, |size| unsafe { size(self.program, &raw mut length) })?;
        let mut bytes = vec![0_u8; length];
        // SAFETY: a live program, and room for as many bytes as it said it has.
        self.nvrtc.call::<Content>(content, |content| unsafe { content(self.program, bytes.as_mut_ptr().cast()) })?;
        Ok(bytes)
    }
}

impl Drop for Compilation<'_> {
    fn drop(&mut self) {
        // Nothing can be done about a failure, and nothing depends on it.
        let _ = self.nvrtc.call::<unsafe extern "C" fn(*mut Program) -> Status>("nvrtcDestroyProgram", |destroy| {
            // SAFETY: the program was created and is used no more.
            unsafe { destroy(&raw mut self.program) }
        });
    }
}

/// The library in `folder` whose name starts like one of these; the longest name is the most exact version.
fn library_in(folder: &Path, starts: &[&str]) -> Option<PathBuf> {
    let wanted = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        starts.iter().any(|start| name.starts_with(start)) && !name.contains(".alt.")
    };
    let entries = fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
    entries.filter(wanted).max_by_key(|path| (path.as_os_str().len(), path.clone()))
}

fn load(path: &Path) -> Result<Library, String> {
    // SAFETY: a library of the toolkit that the user installed; its initialisers are those of every CUDA program.
    unsafe { Library::new(path) }.map_err(|why| format!("{} cannot be loaded: {why}", path.display()))
}

fn c_string(text: &str) -> Result<CString, String> {
    CString::new(text).map_err(|_| "a source, name or flag holds a zero byte".to_owned())
}
