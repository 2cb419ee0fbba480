//! Kernels compiled for the host, loaded, launched by name.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::ffi::{CStr, CString, OsString, c_char, c_int, c_void};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock};
use std::{env, fs};

use duodiff_graph::cuda::bench::Shape;
use duodiff_graph::launch::Module;
use libloading::{Library, Symbol};

use super::gpu;

/// A grid or a block.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Dim3 {
    pub x: u32,
    pub y: u32,
    pub z: u32,
}

/// A kernel's argument: the bytes of a value of plain data.
#[derive(Clone)]
pub struct Argument {
    bytes: Vec<u128>,
    size: usize,
}

/// An argument of the kernel's parameter type.
pub fn argument<V: Copy>(value: V) -> Argument {
    let mut bytes = vec![0_u128; size_of::<V>().div_ceil(16)];
    // SAFETY: the bytes are as many at least, aligned to 16, and written before they are read.
    unsafe { bytes.as_mut_ptr().cast::<V>().write(value) };
    Argument { bytes, size: size_of::<V>() }
}

/// Arguments in the order of the kernel's parameters.
macro_rules! arguments {
    ($($value:expr),* $(,)?) => { &[$($crate::object::argument($value)),*] };
}
pub(crate) use arguments;

/// The order in which the emulator lets threads and blocks take turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    Forward,
    Reverse,
    Shuffled(u64),
}

thread_local! {
    static ORDER: Cell<Order> = const { Cell::new(Order::Forward) };
}

/// Runs `f` in several orders; its results must be equal.
pub fn in_every_order<R: PartialEq>(f: impl Fn() -> R) -> R {
    let run = |order| {
        ORDER.set(order);
        let result = f();
        ORDER.set(Order::Forward);
        result
    };
    let first = run(Order::Forward);
    for order in [Order::Reverse, Order::Shuffled(1)] {
        assert!(run(order) == first, "{order:?} gives another result");
    }
    first
}

/// Whether this process runs under AddressSanitizer.
pub fn is_sanitized() -> bool {
    env::var_os("DUODIFF_TEST_SANITIZED").is_some()
}

/// The C++ compiler of this machine.
pub fn compiler() -> Option<OsString> {
    let answers = |name: &OsString| Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success());
    let named = env::var_os("CXX").into_iter();
    named.chain(["c++", "g++", "clang++"].map(OsString::from)).find(answers)
}

/// The same, or a note that a test is skipped without it.
pub fn compiler_or_note() -> Option<OsString> {
    let compiler = compiler();
    if compiler.is_none() {
        println!("skipped: no C++ compiler (c++, g++ or clang++) on PATH, nor in CXX");
    }
    compiler
}

/// Whether kernels can run here; a note if not.
pub fn is_possible() -> bool {
    gpu::is_asked_for() || compiler_or_note().is_some()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The folder of the kernels.
pub fn kernels() -> PathBuf {
    root().join("kernels")
}

/// The folder of the emulator.
pub fn emulator() -> PathBuf {
    root().join("../tests/emulator")
}

/// A value for each name, made once: of tests that run side by side, the others wait for the one that makes it.
struct Once<V>(Mutex<BTreeMap<String, Arc<OnceLock<V>>>>);

impl<V: Copy> Once<V> {
    const fn new() -> Self {
        Self(Mutex::new(BTreeMap::new()))
    }

    fn get_or_init(&self, name: String, make: impl FnOnce() -> V) -> V {
        let cell = self.0.lock().unwrap().entry(name).or_default().clone();
        *cell.get_or_init(make)
    }
}

/// A compiled source: an object of the emulator, or a module of a GPU.
pub enum Object {
    Emulated(Library),
    Gpu(Module),
}

impl Object {
    /// The object of `kernels/FILE` or, where there is none, `tests/emulator/FILE`; built once. None, with a note, without a compiler.
    pub fn of(file: &str, defines: &[&str]) -> Option<&'static Self> {
        if gpu::is_asked_for() {
            return gpu::module(file, defines).map(|module| &*Box::leak(Box::new(Self::Gpu(module))));
        }
        static OBJECTS: Once<Option<&'static Object>> = Once::new();
        OBJECTS.get_or_init(format!("{file} {defines:?}"), || {
            let path = built(file, defines)?;
            // SAFETY: the object was made from sources of this repository; its initialisers fill a table.
            let library = unsafe { Library::new(path) }.unwrap();
            Some(Box::leak(Box::new(Self::Emulated(library))))
        })
    }

    /// Runs a kernel to its end; what went wrong, if anything did.
    pub fn launch(&self, name: &str, grid: [u32; 3], block: u32, shared: usize, arguments: &[Argument]) -> Result<(), String> {
        match self {
            Self::Emulated(library) => emulate(library, name, grid, block, shared, arguments),
            Self::Gpu(module) => {
                let mut pointers: Vec<_> = arguments.iter().map(|argument| argument.bytes.as_ptr().cast_mut().cast()).collect();
                gpu::launch(*module, name, Shape { grid, block, shared: shared as u32 }, &mut pointers)
            }
        }
    }
}

/// The object of a source for the emulator; built once. None, with a note, without a compiler.
pub fn built(file: &str, defines: &[&str]) -> Option<PathBuf> {
    let compiler = compiler_or_note()?;
    let source = [kernels().join(file), emulator().join(file)].into_iter().find(|path| path.exists()).expect("a source");
    let mut command = Command::new(compiler);
    command.args(["-std=c++17", "-O2", "-march=native", "-ffp-contract=off", "-Wall", "-Wextra", "-Werror", "-Wno-unknown-pragmas"]);
    command.args(["-fPIC", "-shared", "-DDUODIFF_EMULATOR", "-include", "cuda_emulator.hpp", "-I"]);
    command.arg(emulator()).arg("-I").arg(kernels());
    if is_sanitized() {
        command.args(["-g1", "-fsanitize=address,undefined", "-fno-sanitize=vptr", "-fno-sanitize-recover=undefined"]);
    }
    command.args(defines).args(["-x", "c++"]).arg(source);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("kernels");
    fs::create_dir_all(&folder).unwrap();
    let name = format!("{}-{}.so", file.replace(".cu", ""), key(&command));
    let path = folder.join(&name);
    static BUILT: Once<()> = Once::new();
    BUILT.get_or_init(name, || {
        if path.exists() {
            return;
        }
        let fresh = tempfile::NamedTempFile::new_in(&folder).unwrap().into_temp_path();
        let output = command.arg("-o").arg(&fresh).output().unwrap();
        assert!(output.status.success(), "{command:?}\n{}", String::from_utf8_lossy(&output.stderr));
        fresh.persist(&path).unwrap();
    });
    Some(path)
}

/// Runs a kernel on the emulator.
fn emulate(library: &Library, name: &str, grid: [u32; 3], block: u32, shared: usize, arguments: &[Argument]) -> Result<(), String> {
    type Emulate = unsafe extern "C" fn(*const c_char, Dim3, Dim3, usize, *const *const c_void) -> c_int;
    let c_name = CString::new(name).unwrap();
    let mut sizes = [0_usize; 32];
    let parameters: Symbol<unsafe extern "C" fn(*const c_char, *mut usize, usize) -> c_int> = symbol(library, "duodiff_emulate_parameters");
    // SAFETY: as launch.hpp declares it; at most `sizes.len()` sizes are written.
    let count = unsafe { parameters(c_name.as_ptr(), sizes.as_mut_ptr(), sizes.len()) };
    let given: Vec<usize> = arguments.iter().map(|argument| argument.size).collect();
    assert_eq!(given, sizes[..usize::try_from(count).unwrap_or_else(|_| panic!("no kernel {name}"))], "argument sizes of {name}");
    let order: Symbol<unsafe extern "C" fn(u32, u64)> = symbol(library, "duodiff_emulate_order");
    let (kind, seed) = match ORDER.get() {
        Order::Forward => (0, 0),
        Order::Reverse => (1, 0),
        Order::Shuffled(seed) => (2, seed),
    };
    let emulate: Symbol<Emulate> = symbol(library, "duodiff_emulate");
    let error: Symbol<unsafe extern "C" fn() -> *const c_char> = symbol(library, "duodiff_emulate_error");
    let pointers: Vec<*const c_void> = arguments.iter().map(|argument| argument.bytes.as_ptr().cast()).collect();
    let [x, y, z] = grid;
    // SAFETY: as launch.hpp declares them; arguments have the sizes of the parameters and live until the end.
    unsafe {
        order(kind, seed);
        match emulate(c_name.as_ptr(), Dim3 { x, y, z }, Dim3 { x: block, y: 1, z: 1 }, shared, pointers.as_ptr()) {
            0 => Ok(()),
            _ => Err(CStr::from_ptr(error()).to_string_lossy().into_owned()),
        }
    }
}

fn symbol<'a, F>(library: &'a Library, name: &str) -> Symbol<'a, F> {
    // SAFETY: every caller names the type that launch.hpp declares.
    unsafe { library.get(name) }.unwrap()
}

/// Names what `command` would build: its arguments and every source that it may include.
fn key(command: &Command) -> String {
    let mut hasher = blake3::Hasher::new();
    for argument in command.get_args() {
        hasher.update(argument.as_encoded_bytes()).update(&[0]);
    }
    let mut files: Vec<PathBuf> =
        [kernels(), emulator()].iter().flat_map(|folder| fs::read_dir(folder).unwrap()).map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in files {
        hasher.update(&fs::read(file).unwrap()).update(&[0]);
    }
    hasher.finalize().to_hex()[..16].to_string()
}
