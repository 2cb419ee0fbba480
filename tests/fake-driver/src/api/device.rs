//! The driver, its devices, their contexts.

use std::ffi::{c_char, c_int, c_uint, c_void};
use std::ptr;

use super::write;
use crate::code::{self, Code, INVALID_CONTEXT, INVALID_DEVICE, INVALID_VALUE};
use crate::devices::Record;
use crate::state::{State, call, release};

/// Numbers of `CUdevice_attribute`.
const MULTIPROCESSOR_COUNT: c_uint = 16;
const CAPABILITY_MAJOR: c_uint = 75;
const CAPABILITY_MINOR: c_uint = 76;
const SHARED_PER_BLOCK_OPTIN: c_uint = 97;

fn record(state: &State, device: c_int) -> Result<&Record, Code> {
    state.check_initialized()?;
    usize::try_from(device).ok().and_then(|device| state.machine.records.get(device)).ok_or(INVALID_DEVICE)
}

#[unsafe(no_mangle)]
pub extern "C" fn cuInit(flags: c_uint) -> c_uint {
    call("cuInit", |state| {
        state.initialized = true;
        match flags {
            0 if state.machine.records.is_empty() => Err(code::NO_DEVICE),
            0 => Ok(()),
            _ => Err(INVALID_VALUE),
        }
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDriverGetVersion(version: *mut c_int) -> c_uint {
    // SAFETY: granted by the caller.
    call("cuDriverGetVersion", |state| unsafe { write(version, state.machine.version) })
}

/// Neither counted nor made to fail: it is how failures are told.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuGetErrorName(error: c_uint, name: *mut *const c_char) -> c_uint {
    let found = code::name(error);
    // SAFETY: granted by the caller.
    let written = unsafe { write(name, found.map_or(ptr::null(), std::ffi::CStr::as_ptr)) };
    if found.is_some() && written.is_ok() { 0 } else { INVALID_VALUE.0 }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDeviceGetCount(count: *mut c_int) -> c_uint {
    call("cuDeviceGetCount", |state| {
        state.check_initialized()?;
        // SAFETY: granted by the caller.
        unsafe { write(count, state.machine.records.len() as c_int) }
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDeviceGet(device: *mut c_int, ordinal: c_int) -> c_uint {
    call("cuDeviceGet", |state| {
        record(state, ordinal)?;
        // SAFETY: granted by the caller.
        unsafe { write(device, ordinal) }
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDeviceGetName(name: *mut c_char, length: c_int, device: c_int) -> c_uint {
    call("cuDeviceGetName", |state| {
        let text = record(state, device)?.name.as_bytes();
        let room = usize::try_from(length).ok().and_then(|length| length.checked_sub(1)).ok_or(INVALID_VALUE)?;
        let count = text.len().min(room);
        // SAFETY: granted by the caller: there is room for `length` bytes.
        unsafe {
            text.as_ptr().copy_to_nonoverlapping(name.cast(), count);
            name.add(count).write(0);
        }
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDeviceGetAttribute(value: *mut c_int, attribute: c_uint, device: c_int) -> c_uint {
    call("cuDeviceGetAttribute", |state| {
        let record = record(state, device)?;
        let found = match attribute {
            MULTIPROCESSOR_COUNT => record.processors,
            CAPABILITY_MAJOR => record.capability.0,
            CAPABILITY_MINOR => record.capability.1,
            SHARED_PER_BLOCK_OPTIN => record.shared as c_int,
            _ => return Err(INVALID_VALUE),
        };
        // SAFETY: granted by the caller.
        unsafe { write(value, found) }
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDeviceTotalMem_v2(bytes: *mut usize, device: c_int) -> c_uint {
    call("cuDeviceTotalMem", |state| {
        let memory = record(state, device)?.memory;
        // SAFETY: granted by the caller.
        unsafe { write(bytes, memory) }
    })
}

/// A context's handle: the device's number, from 1 on.
fn handle(device: usize) -> *mut c_void {
    ptr::without_provenance_mut(device + 1)
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDevicePrimaryCtxRetain(context: *mut *mut c_void, device: c_int) -> c_uint {
    call("cuDevicePrimaryCtxRetain", |state| {
        record(state, device)?;
        *state.contexts.entry(device as usize).or_default() += 1;
        // SAFETY: granted by the caller.
        unsafe { write(context, handle(device as usize)) }
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuDevicePrimaryCtxRelease_v2(device: c_int) -> c_uint {
    release("cuDevicePrimaryCtxRelease", |state| {
        record(state, device)?;
        let device = device as usize;
        let held = state.contexts.get_mut(&device).ok_or(INVALID_CONTEXT)?;
        *held -= 1;
        if *held == 0 {
            state.contexts.remove(&device);
            // A context that is gone takes its failure along.
            state.broken = None;
        }
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuCtxSetCurrent(context: *mut c_void) -> c_uint {
    call("cuCtxSetCurrent", |state| {
        state.check_initialized()?;
        state.enter(context.addr().checked_sub(1))
    })
}
