//! Kernels: cubins loaded, functions found by name.

use std::collections::BTreeMap;
use std::ffi::{CString, c_int, c_void};
use std::ptr;
use std::sync::Arc;

use cudarc::driver::sys::{CUfunction, CUfunction_attribute, CUlaunchConfig, CUlibrary, CUstream};

use super::context::Context;
use crate::executor::Fault;
use crate::launch::{Kernel, Launch, Module};

/// Shared memory that a block has without asking.
const SHARED: u32 = 48 << 10;

/// Loaded modules and the functions found in them.
pub(super) struct Modules {
    context: Arc<Context>,
    libraries: BTreeMap<Module, CUlibrary>,
    functions: BTreeMap<Kernel, Function>,
}

/// A kernel, with the most shared memory that it was prepared for.
#[derive(Clone, Copy)]
struct Function {
    handle: CUfunction,
    shared: u32,
}

// SAFETY: as for `Context`.
unsafe impl Send for Modules {}

impl Modules {
    /// Loads cubins.
    pub fn new<'a>(context: &Arc<Context>, cubins: impl Iterator<Item = (Module, &'a [u8])>) -> Result<Self, Fault> {
        let mut modules = Self { context: Arc::clone(context), libraries: BTreeMap::new(), functions: BTreeMap::new() };
        for (module, cubin) in cubins {
            let mut library = ptr::null_mut();
            let none = ptr::null_mut();
            // SAFETY: the cubin is a whole ELF file, which tells its own length; there are no options.
            unsafe {
                context.driver.cuLibraryLoadData(&raw mut library, cubin.as_ptr().cast(), none, none.cast(), 0, none, none.cast(), 0)?;
            }
            modules.libraries.insert(module, library);
        }
        Ok(modules)
    }

    /// Finds the kernels of launches.
    pub fn prepare(&mut self, launches: &[Launch]) -> Result<(), Fault> {
        launches.iter().try_for_each(|launch| self.find(launch))
    }

    fn find(&mut self, launch: &Launch) -> Result<(), Fault> {
        let known = self.functions.get(&launch.kernel).copied();
        let mut function = match known {
            Some(function) if function.shared >= launch.shared => return Ok(()),
            Some(function) => function,
            None => Function { handle: self.function(&launch.kernel)?, shared: SHARED },
        };
        if launch.shared > function.shared {
            let attribute = CUfunction_attribute::CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES as u32;
            // SAFETY: a function of a loaded library.
            unsafe { self.context.driver.cuFuncSetAttribute(function.handle, attribute, launch.shared as c_int) }?;
            function.shared = launch.shared;
        }
        self.functions.insert(launch.kernel.clone(), function);
        Ok(())
    }

    fn function(&self, kernel: &Kernel) -> Result<CUfunction, Fault> {
        let library = self.libraries.get(&kernel.module).copied().expect("invariant: the modules of a plan's launches are loaded");
        let name = CString::new(kernel.entry.as_str()).expect("invariant: names of kernels have no zeros");
        let (mut found, mut function) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: a loaded library, a string that ends in a zero, places for handles.
        unsafe {
            self.context.driver.cuLibraryGetKernel(&raw mut found, library, name.as_ptr())?;
            self.context.driver.cuKernelGetFunction(&raw mut function, found)?;
            // Drivers load code when it is first launched, which must not be while a stream is captured.
            self.context.driver.cuFuncLoad(function)?;
        }
        Ok(function)
    }

    /// Launches a kernel that was found before, in the stream.
    ///
    /// # Safety
    /// `parameters` points to one argument per parameter of the kernel, each of its type, with addresses of live memory of the size that
    /// the kernel touches.
    pub unsafe fn launch(&self, launch: &Launch, parameters: &mut [*mut c_void]) -> Result<(), Fault> {
        let function = self.functions.get(&launch.kernel).expect("invariant: kernels are found before they are launched");
        let stream: CUstream = self.context.stream;
        let [x, y, z] = launch.grid;
        let config = CUlaunchConfig {
            gridDimX: x,
            gridDimY: y,
            gridDimZ: z,
            blockDimX: launch.block,
            blockDimY: 1,
            blockDimZ: 1,
            sharedMemBytes: launch.shared,
            hStream: stream,
            attrs: ptr::null_mut(),
            numAttrs: 0,
        };
        // SAFETY: granted by the caller; the function and the stream are alive.
        unsafe { self.context.driver.cuLaunchKernelEx(&raw const config, function.handle, parameters.as_mut_ptr(), ptr::null_mut()) }
    }
}

impl Drop for Modules {
    fn drop(&mut self) {
        for library in self.libraries.values() {
            // SAFETY: a loaded library whose kernels have ended.
            drop(unsafe { self.context.driver.cuLibraryUnload(*library) });
        }
    }
}
