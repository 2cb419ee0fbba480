//! Modules: real cubins, whose kernels are looked up only, and objects of the emulator, whose kernels run.

use std::collections::BTreeMap;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::{env, fs, process};

use libloading::Library;

use crate::code::{Code, INVALID_IMAGE, INVALID_VALUE, LAUNCH_FAILED, NOT_FOUND};
use crate::elf::{CUBIN, Elf, HOST};

/// A loaded module.
#[derive(Clone)]
pub enum Module {
    /// A file for a real GPU.
    Cubin(Arc<Vec<u8>>),
    /// An object for this machine.
    Object(&'static Object),
}

impl Module {
    /// Loads what lies at an address.
    ///
    /// # Safety
    /// As for [`Elf::at`].
    pub unsafe fn load(address: *const u8) -> Result<Self, Code> {
        // SAFETY: granted by the caller.
        let elf = unsafe { Elf::at(address) }.ok_or(INVALID_IMAGE)?;
        match elf.machine() {
            CUBIN => Ok(Self::Cubin(Arc::new(elf.bytes().to_vec()))),
            HOST => Object::load(elf.bytes()).map(Self::Object),
            _ => Err(INVALID_IMAGE),
        }
    }

    /// Refuses the name of no kernel.
    pub fn find(&self, name: &CStr) -> Result<(), Code> {
        let found = match self {
            // SAFETY: a whole ELF file, checked when it was loaded.
            Self::Cubin(bytes) => unsafe { Elf::at(bytes.as_ptr()) }.is_some_and(|elf| elf.has_kernel(&name.to_string_lossy())),
            Self::Object(object) => object.parameters(name).is_some(),
        };
        if found { Ok(()) } else { Err(NOT_FOUND) }
    }
}

/// A grid or a block.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dim3 {
    pub x: u32,
    pub y: u32,
    pub z: u32,
}

/// An object of the emulator: what `tests/emulator/launch.hpp` says that it exports.
pub struct Object {
    library: Library,
}

type Emulate = unsafe extern "C" fn(*const c_char, Dim3, Dim3, usize, *const *const c_void) -> c_int;
type Failure = unsafe extern "C" fn() -> *const c_char;
type Parameters = unsafe extern "C" fn(*const c_char, *mut usize, usize) -> c_int;

/// More parameters than any kernel has.
const PARAMETERS: usize = 32;

impl Object {
    /// Loads an object, each once per process: it is never unloaded, for threads may hold a part of it.
    fn load(bytes: &[u8]) -> Result<&'static Self, Code> {
        static OBJECTS: Mutex<BTreeMap<Vec<u8>, &'static Object>> = Mutex::new(BTreeMap::new());
        let mut objects = OBJECTS.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(object) = objects.get(bytes) {
            return Ok(object);
        }
        let path = env::temp_dir().join(format!("duodiff-fake-driver-{}-{}.so", process::id(), objects.len()));
        let object: &Self = Box::leak(Box::new(Self::open(bytes, &path)?));
        objects.insert(bytes.to_vec(), object);
        Ok(object)
    }

    fn open(bytes: &[u8], path: &PathBuf) -> Result<Self, Code> {
        fs::write(path, bytes).map_err(|_| INVALID_IMAGE)?;
        // SAFETY: whoever uses this driver gives it objects of the emulator, whose initialisers fill a table.
        let library = unsafe { Library::new(path) };
        drop(fs::remove_file(path));
        let library = library.map_err(|_| INVALID_IMAGE)?;
        // SAFETY: only looked for.
        match unsafe { library.get::<Emulate>("duodiff_emulate") } {
            Ok(_) => Ok(Self { library }),
            Err(_) => Err(INVALID_IMAGE),
        }
    }

    /// The sizes of a kernel's parameters.
    pub fn parameters(&self, name: &CStr) -> Option<Vec<usize>> {
        let mut sizes = [0_usize; PARAMETERS];
        // SAFETY: as launch.hpp declares it; at most so many sizes are written.
        let count = unsafe {
            let parameters = self.library.get::<Parameters>("duodiff_emulate_parameters").ok()?;
            parameters(name.as_ptr(), sizes.as_mut_ptr(), sizes.len())
        };
        sizes.get(..usize::try_from(count).ok()?).map(<[usize]>::to_vec)
    }

    /// Runs a kernel to its end; why it could not, in the emulator's words.
    ///
    /// # Safety
    /// Every argument has the size of its parameter, and the addresses in them are those of memory that the kernel may use.
    pub unsafe fn run(&self, name: &CString, grid: Dim3, block: Dim3, shared: usize, arguments: &[Vec<u64>]) -> Result<(), (Code, String)> {
        let pointers: Vec<*const c_void> = arguments.iter().map(|argument| argument.as_ptr().cast()).collect();
        // SAFETY: as launch.hpp declares them; the rest is granted by the caller.
        unsafe {
            let missing = |_| (INVALID_IMAGE, "an object without the emulator".to_owned());
            let emulate = self.library.get::<Emulate>("duodiff_emulate").map_err(missing)?;
            let failure = self.library.get::<Failure>("duodiff_emulate_error").map_err(missing)?;
            let why = |code| (code, CStr::from_ptr(failure()).to_string_lossy().into_owned());
            match emulate(name.as_ptr(), grid, block, shared, pointers.as_ptr()) {
                0 => Ok(()),
                2 => Err(why(INVALID_VALUE)),
                _ => Err(why(LAUNCH_FAILED)),
            }
        }
    }
}
