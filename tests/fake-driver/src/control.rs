//! What tests ask of the driver in their own process, and what they give to others.

use std::ffi::{CStr, CString, c_char};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::{env, fs, io};

use libloading::{Library, Symbol};

use crate::devices::{DEFAULT, Machine};
use crate::state::{self, Plan};

/// Starts anew as the machine that `text` describes. False while anything is in use, or if the text says nothing.
///
/// # Safety
/// `text` ends in a zero.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fake_cuda_reset(text: *const c_char) -> bool {
    // SAFETY: granted by the caller.
    let machine = Machine::parse(&unsafe { CStr::from_ptr(text) }.to_string_lossy());
    machine.is_some_and(|machine| state::lock().reset(machine).is_ok())
}

/// Counts calls from here on and makes the `first` of them fail, and with `on` all after it; 0: none.
#[unsafe(no_mangle)]
pub extern "C" fn fake_cuda_fail(first: u64, on: bool) {
    let mut state = state::lock();
    (state.calls, state.plan) = (0, Plan { first, on });
}

/// Calls so far.
#[unsafe(no_mangle)]
pub extern "C" fn fake_cuda_calls() -> u64 {
    state::lock().calls
}

/// Everything that was not given back: memory, streams, events, modules, graphs, contexts.
#[unsafe(no_mangle)]
pub extern "C" fn fake_cuda_live() -> usize {
    state::lock().live()
}

/// Spoils a byte behind every piece of the device's memory, as a kernel would that writes out of bounds.
#[unsafe(no_mangle)]
pub extern "C" fn fake_cuda_corrupt() {
    state::lock().memory.corrupt();
}

/// The most bytes of the device's memory that were in use since the last reset.
#[unsafe(no_mangle)]
pub extern "C" fn fake_cuda_peak() -> usize {
    state::lock().memory.peak()
}

/// The lines of the log since the last time; for `fake_cuda_give_back`.
#[unsafe(no_mangle)]
pub extern "C" fn fake_cuda_log() -> *mut c_char {
    let lines = state::lock().log.take().join("\n");
    CString::new(lines).unwrap_or_default().into_raw()
}

/// Takes a log back.
///
/// # Safety
/// `log` came from `fake_cuda_log` and is not used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fake_cuda_give_back(log: *mut c_char) {
    // SAFETY: granted by the caller.
    drop(unsafe { CString::from_raw(log) });
}

/// The driver in this process, for one test at a time.
pub struct Driver {
    _alone: MutexGuard<'static, ()>,
    library: &'static Library,
}

impl Driver {
    /// Takes the driver as a machine with one large GPU. None where there is no such library: elsewhere than on Linux.
    pub fn take() -> Option<Self> {
        Self::with(DEFAULT)
    }

    /// Takes the driver as the machine of a text: see [`crate::devices`].
    pub fn with(machine: &str) -> Option<Self> {
        static ALONE: Mutex<()> = Mutex::new(());
        static LIBRARY: OnceLock<Option<Library>> = OnceLock::new();
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        // SAFETY: this crate's own library, which has no initialisers of its own. Loaded from its path, it is what the process gets when it
        // asks for the driver by name.
        let load = |path| unsafe { Library::new(path) }.expect("the driver's library, which was built with this test");
        let open = || cfg!(target_os = "linux").then(|| load(library().expect("libfake_driver.so beside the test")));
        let driver = Self { _alone: alone, library: LIBRARY.get_or_init(open).as_ref()? };
        driver.reset(machine);
        Some(driver)
    }

    fn get<F>(&self, name: &str) -> Symbol<'_, F> {
        // SAFETY: every caller names the type of the function above.
        unsafe { self.library.get(name) }.expect("a function of this crate")
    }

    /// Starts anew as the machine of a text. Everything must have been given back.
    pub fn reset(&self, machine: &str) {
        let machine = CString::new(machine).expect("a text without zeros");
        // SAFETY: a text that ends in a zero.
        let done = unsafe { self.get::<unsafe extern "C" fn(*const c_char) -> bool>("fake_cuda_reset")(machine.as_ptr()) };
        assert!(done, "{} things are in use, or no machine is {machine:?}", self.live());
    }

    /// As [`fake_cuda_fail`].
    pub fn fail(&self, first: u64, on: bool) {
        self.get::<extern "C" fn(u64, bool)>("fake_cuda_fail")(first, on);
    }

    /// As [`fake_cuda_calls`].
    pub fn calls(&self) -> u64 {
        self.get::<extern "C" fn() -> u64>("fake_cuda_calls")()
    }

    /// As [`fake_cuda_live`].
    pub fn live(&self) -> usize {
        self.get::<extern "C" fn() -> usize>("fake_cuda_live")()
    }

    /// As [`fake_cuda_corrupt`].
    pub fn corrupt(&self) {
        self.get::<extern "C" fn()>("fake_cuda_corrupt")();
    }

    /// As [`fake_cuda_peak`].
    pub fn peak(&self) -> usize {
        self.get::<extern "C" fn() -> usize>("fake_cuda_peak")()
    }

    /// The lines of the log since the last time.
    pub fn log(&self) -> Vec<String> {
        let log = self.get::<extern "C" fn() -> *mut c_char>("fake_cuda_log")();
        // SAFETY: the library's own text, given back before this returns.
        unsafe {
            let lines = CStr::from_ptr(log).to_string_lossy().lines().map(str::to_owned).collect();
            self.get::<unsafe extern "C" fn(*mut c_char)>("fake_cuda_give_back")(log);
            lines
        }
    }
}

/// The driver's library, beside the executables of tests; none where it is not built.
pub fn library() -> Option<PathBuf> {
    let path = env::current_exe().ok()?.parent()?.join("libfake_driver.so");
    path.exists().then_some(path)
}

/// Puts the driver into a folder under its real name: processes with that folder in `LD_LIBRARY_PATH` find it.
pub fn install(folder: &Path) -> io::Result<()> {
    let library = library().ok_or(io::ErrorKind::NotFound)?;
    fs::create_dir_all(folder)?;
    fs::copy(library, folder.join("libcuda.so.1")).map(|_| ())
}
