//! The kernels on a GPU instead of the emulator: where `DUODIFF_TEST_CUBINS` names a folder with a cubin of every module. Host and GPU
//! share the tests' memory.

use std::alloc::Layout;
use std::collections::BTreeMap;
use std::ffi::c_void;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::{env, fs};

use duodiff_graph::cuda::Gpu;
use duodiff_graph::cuda::bench::{Bench, Shape, Shared};
use duodiff_graph::emit::Cubin;
use duodiff_graph::launch::{Module, Tensor};
use duodiff_graph::target::Sm;

/// The GPU, its modules and the memory in use, by address.
struct State {
    memory: BTreeMap<usize, Shared>,
    bench: Bench,
    modules: Vec<Module>,
}

fn folder() -> Option<PathBuf> {
    env::var_os("DUODIFF_TEST_CUBINS").map(PathBuf::from)
}

/// Whether kernels run on a GPU.
pub fn is_asked_for() -> bool {
    folder().is_some()
}

fn state() -> MutexGuard<'static, State> {
    static STATE: OnceLock<Mutex<State>> = OnceLock::new();
    STATE.get_or_init(|| Mutex::new(open())).lock().unwrap_or_else(PoisonError::into_inner)
}

fn open() -> State {
    let folder = folder().expect("a folder of cubins");
    let read = |module: Module| fs::read(folder.join(format!("{module}.cubin"))).ok().map(|bytes| (module, bytes));
    // Which target they are of matters to nobody here: what does not fit is refused by the driver.
    let cubin = |(module, bytes)| Cubin { target: Sm::Sm80, module, bytes };
    let cubins: Vec<Cubin> = Module::all().filter_map(read).map(cubin).collect();
    let bench = Bench::new(Gpu::open(0).expect("a GPU"), &cubins).expect("modules for this GPU");
    State { memory: BTreeMap::new(), bench, modules: cubins.into_iter().map(|cubin| cubin.module).collect() }
}

/// The module of a source and its defines, if the folder has it.
pub fn module(file: &str, defines: &[&str]) -> Option<Module> {
    let defines: Vec<&str> = defines.iter().map(|define| define.trim_start_matches("-D")).collect();
    let fits = |module: &Module| module.source() == file && module.defines() == defines;
    let found = Module::all().find(fits).filter(|module| state().modules.contains(module));
    if found.is_none() {
        println!("skipped: no cubin of {file} {defines:?}");
    }
    found
}

/// Memory for both.
pub fn allocate(layout: Layout) -> *mut u8 {
    let mut state = state();
    let shared = state.bench.share(layout.size()).expect("memory");
    let pointer = shared.pointer();
    assert_eq!(pointer.align_offset(layout.align()), 0);
    state.memory.insert(pointer.addr(), shared);
    pointer
}

pub fn free(pointer: *mut u8) {
    state().memory.remove(&pointer.addr());
}

/// The tests themselves on a driver without a GPU, whose modules are objects of the emulator: what `tests/gpu` does on a GPU.
#[test]
fn the_same_through_a_driver() {
    if is_asked_for()
        || super::object::is_sanitized()
        || fake_driver::control::library().is_none()
        || super::object::compiler_or_note().is_none()
    {
        println!("skipped: needs tests/fake-driver, and is not for a GPU");
        return;
    }
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("driver");
    fake_driver::control::install(&folder).unwrap();
    for module in Module::all() {
        let defines: Vec<String> = module.defines().iter().map(|define| format!("-D{define}")).collect();
        let defines: Vec<&str> = defines.iter().map(String::as_str).collect();
        fs::copy(super::object::built(module.source(), &defines).unwrap(), folder.join(format!("{module}.cubin"))).unwrap();
    }
    let some = [
        "image::",
        "linear::products_of_tables",
        "warpgroups::windows",
        "attention::attention_of_each",
        "tokens::step_tables",
        "tokens::conversion",
        "primitive::",
    ];
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(some).env("DUODIFF_TEST_CUBINS", &folder).env("LD_LIBRARY_PATH", &folder).env("FAKE_CUDA_LOG", folder.join("log"));
    fs::write(folder.join("log"), "").unwrap();
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let log = fs::read_to_string(folder.join("log")).unwrap();
    for kernel in ["launch update ", "launch linear_wgmma_bf16_64x64_none ", "launch attention_mma_bf16_72 ", "launch primitive "] {
        assert!(log.contains(kernel), "no {kernel}");
    }
}

/// The map of a tensor at an address.
pub fn map(tensor: &Tensor, address: u64) -> [u64; 16] {
    state().bench.map(tensor, address).expect("a map")
}

/// Runs a kernel to its end.
pub fn launch(module: Module, name: &str, shape: Shape, parameters: &mut [*mut c_void]) -> Result<(), String> {
    // SAFETY: the arguments have been checked against the emulator's object of the same kernel; their addresses are of shared memory.
    unsafe { state().bench.launch(module, name, shape, parameters) }.map_err(|fault| fault.to_string())
}
