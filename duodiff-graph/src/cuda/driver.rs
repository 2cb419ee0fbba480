//! The driver's library: found and asked for every entry point before the first call, so that nothing here can panic. Its status is read
//! as a number, for a newer driver may return codes that today's enumeration lacks.

use std::ffi::{CStr, c_char, c_int, c_uint, c_ulonglong, c_void};
use std::ptr;
use std::sync::OnceLock;

use cudarc::driver::sys::{
    self, CUcontext, CUdevice, CUdeviceptr, CUevent, CUfunction, CUgraph, CUgraphExec, CUkernel, CUlaunchConfig, CUlibrary, CUstream,
    CUtensorMap,
};

use libloading::Library;

use super::CudaError;
use crate::executor::Fault;

/// The driver's library.
const LIBRARY: &str = if cfg!(windows) { "nvcuda.dll" } else { "libcuda.so.1" };

/// A function of the driver, and what it is called with. Those behind `later` are looked up when they are first called, for few kernels need
/// them.
macro_rules! entry_points {
    (later { $($late:ident($($given:ident: $kind:ty),*);)* } $($name:ident($($argument:ident: $type:ty),*);)*) => {
        /// The entry points in use.
        #[allow(non_snake_case, reason = "the driver's own names")]
        pub(super) struct Driver {
            $($name: unsafe extern "C" fn($($type),*) -> c_uint,)*
            $($late: OnceLock<Option<unsafe extern "C" fn($($kind),*) -> c_uint>>,)*
            /// Where the functions are.
            library: Library,
        }

        impl Driver {
            /// Looks all of them up; the error is the first that is missing.
            fn look_up(library: Library) -> Result<Self, &'static str> {
                Ok(Self { $($name: entry_point(&library, stringify!($name))?,)* $($late: OnceLock::new(),)* library })
            }

            $(
                /// The driver's function of this name.
                ///
                /// # Safety
                /// As the driver's documentation says: pointers and handles are valid for the call.
                #[allow(non_snake_case, dead_code, clippy::too_many_arguments, reason = "the driver's own names and parameters")]
                pub unsafe fn $name(&self, $($argument: $type),*) -> Result<(), Fault> {
                    // SAFETY: granted by the caller.
                    let code = unsafe { (self.$name)($($argument),*) };
                    if code == 0 { Ok(()) } else { Err(self.fault(stringify!($name), code)) }
                }
            )*

            $(
                /// The driver's function of this name; [`NOT_FOUND`] if it has none.
                ///
                /// # Safety
                /// As above.
                #[allow(non_snake_case, clippy::too_many_arguments, reason = "the driver's own names and parameters")]
                pub unsafe fn $late(&self, $($given: $kind),*) -> Result<(), Fault> {
                    let found = self.$late.get_or_init(|| entry_point(&self.library, stringify!($late)).ok());
                    // SAFETY: granted by the caller.
                    let code = found.map_or(NOT_FOUND, |function| unsafe { function($($given),*) });
                    if code == 0 { Ok(()) } else { Err(self.fault(stringify!($late), code)) }
                }
            )*
        }
    };
}

entry_points! {
    later {
        cuTensorMapEncodeTiled(
            map: *mut CUtensorMap, element: c_uint, rank: c_uint, address: CUdeviceptr, sizes: *const c_ulonglong, strides: *const c_ulonglong,
            part: *const c_uint, steps: *const c_uint, interleave: c_uint, swizzle: c_uint, promotion: c_uint, fill: c_uint
        );
        cuTensorMapEncodeIm2col(
            map: *mut CUtensorMap, element: c_uint, rank: c_uint, address: CUdeviceptr, sizes: *const c_ulonglong, strides: *const c_ulonglong,
            lower: *const c_int, upper: *const c_int, channels: c_uint, pixels: c_uint, steps: *const c_uint, interleave: c_uint,
            swizzle: c_uint, promotion: c_uint, fill: c_uint
        );
    }
    cuInit(flags: c_uint);
    cuDriverGetVersion(version: *mut c_int);
    cuGetErrorName(code: c_uint, name: *mut *const c_char);
    cuDeviceGetCount(count: *mut c_int);
    cuDeviceGet(device: *mut CUdevice, ordinal: c_int);
    cuDeviceGetName(name: *mut c_char, length: c_int, device: CUdevice);
    cuDeviceGetAttribute(value: *mut c_int, attribute: c_uint, device: CUdevice);
    cuDeviceTotalMem_v2(bytes: *mut usize, device: CUdevice);
    cuDevicePrimaryCtxRetain(context: *mut CUcontext, device: CUdevice);
    cuDevicePrimaryCtxRelease_v2(device: CUdevice);
    cuCtxSetCurrent(context: CUcontext);
    cuMemGetInfo_v2(free: *mut usize, total: *mut usize);
    cuMemAlloc_v2(pointer: *mut CUdeviceptr, bytes: usize);
    cuMemFree_v2(pointer: CUdeviceptr);
    cuMemHostAlloc(pointer: *mut *mut c_void, bytes: usize, flags: c_uint);
    cuMemFreeHost(pointer: *mut c_void);
    cuMemcpyHtoDAsync_v2(to: CUdeviceptr, from: *const c_void, bytes: usize, stream: CUstream);
    cuMemcpyDtoHAsync_v2(to: *mut c_void, from: CUdeviceptr, bytes: usize, stream: CUstream);
    cuMemcpyDtoDAsync_v2(to: CUdeviceptr, from: CUdeviceptr, bytes: usize, stream: CUstream);
    cuMemsetD8Async(to: CUdeviceptr, value: u8, bytes: usize, stream: CUstream);
    cuStreamCreate(stream: *mut CUstream, flags: c_uint);
    cuStreamDestroy_v2(stream: CUstream);
    cuStreamSynchronize(stream: CUstream);
    cuStreamBeginCapture_v2(stream: CUstream, mode: c_uint);
    cuStreamEndCapture(stream: CUstream, graph: *mut CUgraph);
    cuGraphInstantiateWithFlags(executable: *mut CUgraphExec, graph: CUgraph, flags: c_ulonglong);
    cuGraphUpload(executable: CUgraphExec, stream: CUstream);
    cuGraphLaunch(executable: CUgraphExec, stream: CUstream);
    cuGraphExecDestroy(executable: CUgraphExec);
    cuGraphDestroy(graph: CUgraph);
    cuEventCreate(event: *mut CUevent, flags: c_uint);
    cuEventRecord(event: CUevent, stream: CUstream);
    cuEventQuery(event: CUevent);
    cuEventElapsedTime(milliseconds: *mut f32, start: CUevent, end: CUevent);
    cuEventDestroy_v2(event: CUevent);
    cuLibraryLoadData(
        library: *mut CUlibrary, code: *const c_void, options: *mut c_uint, values: *mut *mut c_void, count: c_uint,
        library_options: *mut c_uint, library_values: *mut *mut c_void, library_count: c_uint
    );
    cuLibraryUnload(library: CUlibrary);
    cuLibraryGetKernel(kernel: *mut CUkernel, library: CUlibrary, name: *const c_char);
    cuFuncLoad(function: CUfunction);
    cuKernelGetFunction(function: *mut CUfunction, kernel: CUkernel);
    cuFuncSetAttribute(function: CUfunction, attribute: c_uint, value: c_int);
    cuLaunchKernelEx(config: *const CUlaunchConfig, function: CUfunction, parameters: *mut *mut c_void, extra: *mut *mut c_void);
}

/// A symbol of the driver's library as a function.
fn entry_point<F: Copy>(library: &Library, name: &'static str) -> Result<F, &'static str> {
    // SAFETY: the symbol is only used as the function that the driver documents under this name, as long as the library is loaded.
    unsafe { library.get::<F>(name) }.map(|symbol| *symbol).map_err(|_| name)
}

/// The code for a name that stands for nothing.
const NOT_FOUND: u32 = sys::CUresult::CUDA_ERROR_NOT_FOUND as u32;

/// The code for what is still under way.
const NOT_READY: u32 = sys::CUresult::CUDA_ERROR_NOT_READY as u32;

impl Driver {
    /// The driver, initialized: loaded once per process.
    pub fn get() -> Result<&'static Self, CudaError> {
        static DRIVER: OnceLock<Result<Driver, CudaError>> = OnceLock::new();
        let loaded = DRIVER.get_or_init(|| {
            // SAFETY: loading the driver's library runs its initializers, which is what it is for.
            let library = unsafe { Library::new(LIBRARY) }.map_err(|_| CudaError::NoDriver)?;
            let driver = Self::look_up(library).map_err(|name| CudaError::OldDriver { name })?;
            // SAFETY: no pointers; flags must be 0.
            unsafe { driver.cuInit(0) }.map_err(CudaError::from_init)?;
            Ok(driver)
        });
        loaded.as_ref().map_err(CudaError::clone)
    }

    fn fault(&self, call: &'static str, code: u32) -> Fault {
        let mut name = ptr::null();
        // SAFETY: `name` is where the driver writes a pointer to a string of its own.
        let known = unsafe { (self.cuGetErrorName)(code, &raw mut name) } == 0 && !name.is_null();
        // SAFETY: the driver's string ends in a zero and lives as long as its library.
        let name = if known { unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned() } else { "an unknown error".into() };
        Fault { call, code, name }
    }

    /// Whether what stands before an event is done.
    pub fn is_done(&self, event: CUevent) -> Result<bool, Fault> {
        // SAFETY: the event is alive.
        match unsafe { self.cuEventQuery(event) } {
            Ok(()) => Ok(true),
            Err(fault) if fault.code == NOT_READY => Ok(false),
            Err(fault) => Err(fault),
        }
    }
}
