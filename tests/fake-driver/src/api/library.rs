//! Modules, kernels, launches.

use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::ptr;

use super::write;
use crate::code::{INVALID_HANDLE, INVALID_VALUE, STREAM_CAPTURE_UNSUPPORTED};
use crate::launch::{Function, Launch, SHARED};
use crate::library::{Dim3, Module};
use crate::state::{call, release};
use crate::stream::Work;

/// `CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES`.
const MOST_DYNAMIC_SHARED: c_uint = 8;

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuLibraryLoadData(
    library: *mut *mut c_void,
    code: *const c_void,
    _options: *mut c_uint,
    _values: *mut *mut c_void,
    count: c_uint,
    _library_options: *mut c_uint,
    _library_values: *mut *mut c_void,
    library_count: c_uint,
) -> c_uint {
    call("cuLibraryLoadData", |state| {
        state.current_idle()?;
        if code.is_null() || count + library_count > 0 {
            return Err(INVALID_VALUE);
        }
        // SAFETY: granted by the caller.
        let module = unsafe { Module::load(code.cast()) }?;
        let handle = state.handle();
        state.libraries.insert(handle, module);
        // SAFETY: granted by the caller.
        unsafe { write(library, ptr::without_provenance_mut(handle)) }
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuLibraryUnload(library: *mut c_void) -> c_uint {
    release("cuLibraryUnload", |state| {
        let done = state.current_idle().and_then(|_| state.work_all());
        state.libraries.remove(&library.addr()).ok_or(INVALID_HANDLE)?;
        state.kernels.retain(|_, (owner, _)| *owner != library.addr());
        done
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuLibraryGetKernel(kernel: *mut *mut c_void, library: *mut c_void, name: *const c_char) -> c_uint {
    call("cuLibraryGetKernel", |state| {
        state.current_idle()?;
        let module = state.libraries.get(&library.addr()).ok_or(INVALID_HANDLE)?.clone();
        // SAFETY: granted by the caller.
        let name = unsafe { CStr::from_ptr(name) };
        module.find(name)?;
        let handle = state.handle();
        state.kernels.insert(handle, (library.addr(), Function { module, name: name.to_owned(), loaded: false, shared: SHARED }));
        // SAFETY: granted by the caller.
        unsafe { write(kernel, ptr::without_provenance_mut(handle)) }
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuKernelGetFunction(function: *mut *mut c_void, kernel: *mut c_void) -> c_uint {
    call("cuKernelGetFunction", |state| {
        state.current_idle()?;
        state.kernels.get(&kernel.addr()).ok_or(INVALID_HANDLE)?;
        // SAFETY: granted by the caller.
        unsafe { write(function, kernel) }
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuFuncLoad(function: *mut c_void) -> c_uint {
    call("cuFuncLoad", |state| {
        state.current_idle()?;
        state.kernels.get_mut(&function.addr()).ok_or(INVALID_HANDLE)?.1.loaded = true;
        Ok(())
    })
}

/// A function that is not loaded yet has no attributes.
#[unsafe(no_mangle)]
pub extern "C" fn cuFuncSetAttribute(function: *mut c_void, attribute: c_uint, value: c_int) -> c_uint {
    call("cuFuncSetAttribute", |state| {
        let device = state.current_idle()?;
        let most = state.machine.records.get(device).map_or(0, |record| record.shared);
        let (_, function) = state.kernels.get_mut(&function.addr()).ok_or(INVALID_HANDLE)?;
        let wanted = usize::try_from(value).ok().filter(|wanted| *wanted <= most);
        match (attribute, wanted) {
            (MOST_DYNAMIC_SHARED, Some(wanted)) if function.loaded => {
                function.shared = wanted;
                Ok(())
            }
            _ => Err(INVALID_VALUE),
        }
    })
}

/// `CUlaunchConfig`.
#[repr(C)]
pub struct Config {
    grid: Dim3,
    block: Dim3,
    shared: c_uint,
    stream: *mut c_void,
    attributes: *mut c_void,
    attribute_count: c_uint,
}

/// A launch that is captured must not have to load its kernel first.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuLaunchKernelEx(
    config: *const Config,
    function: *mut c_void,
    parameters: *mut *mut c_void,
    _extra: *mut *mut c_void,
) -> c_uint {
    call("cuLaunchKernelEx", |state| {
        state.current()?;
        // SAFETY: granted by the caller.
        let Config { grid, block, shared, stream, attribute_count, .. } = unsafe { &*config };
        let (_, function) = state.kernels.get_mut(&function.addr()).ok_or(INVALID_HANDLE)?;
        if *attribute_count > 0 {
            return Err(INVALID_VALUE);
        }
        let captured = state.streams.get(&stream.addr()).ok_or(INVALID_HANDLE)?.capture.is_some();
        if captured && !function.loaded {
            return Err(STREAM_CAPTURE_UNSUPPORTED);
        }
        function.loaded = true;
        // SAFETY: granted by the caller.
        let launch = unsafe { Launch::new(function, *grid, *block, *shared as usize, parameters.cast()) }?;
        state.push(stream.addr(), [Work::Launch(launch)])
    })
}
