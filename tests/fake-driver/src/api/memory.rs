//! Memory, and copies.

use std::ffi::{c_uint, c_void};
use std::ptr;

use super::write;
use crate::code::INVALID_VALUE;
use crate::state::{call, release};
use crate::stream::Work;

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemGetInfo_v2(free: *mut usize, total: *mut usize) -> c_uint {
    call("cuMemGetInfo", |state| {
        let capacity = state.capacity()?;
        // SAFETY: granted by the caller.
        unsafe {
            write(free, capacity.saturating_sub(state.memory.live()))?;
            write(total, capacity)
        }
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemAlloc_v2(pointer: *mut u64, bytes: usize) -> c_uint {
    call("cuMemAlloc", |state| {
        state.current_idle()?;
        let capacity = state.capacity()?;
        let address = state.memory.allocate(bytes, capacity)?;
        // SAFETY: granted by the caller.
        unsafe { write(pointer, address as u64) }
    })
}

/// Waits for everything first.
#[unsafe(no_mangle)]
pub extern "C" fn cuMemFree_v2(pointer: u64) -> c_uint {
    release("cuMemFree", |state| {
        let done = state.current_idle().and_then(|_| state.work_all());
        state.memory.free(pointer as usize).and(done)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemHostAlloc(pointer: *mut *mut c_void, bytes: usize, flags: c_uint) -> c_uint {
    call("cuMemHostAlloc", |state| {
        state.current_idle()?;
        if flags != 0 {
            return Err(INVALID_VALUE);
        }
        let address = state.host.allocate(bytes, usize::MAX)?;
        // SAFETY: granted by the caller.
        unsafe { write(pointer, ptr::with_exposed_provenance_mut(address)) }
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuMemFreeHost(pointer: *mut c_void) -> c_uint {
    release("cuMemFreeHost", |state| {
        let done = state.current_idle().and_then(|_| state.work_all());
        state.host.free(pointer.addr()).and(done)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemcpyHtoDAsync_v2(to: u64, from: *const c_void, bytes: usize, stream: *mut c_void) -> c_uint {
    call("cuMemcpyHtoDAsync", |state| {
        state.current()?;
        let to = to as usize;
        let work = if state.host.check(from.addr(), bytes).is_ok() {
            Work::Copy { from: from.addr(), to, bytes, up: true }
        } else {
            // SAFETY: granted by the caller.
            Work::Upload { to, bytes: unsafe { std::slice::from_raw_parts(from.cast::<u8>(), bytes) }.to_vec() }
        };
        state.push(stream.addr(), [work])
    })
}

/// To the driver's own memory of the host only: elsewhere the copy would wait for the device, which is a mistake here.
#[unsafe(no_mangle)]
pub extern "C" fn cuMemcpyDtoHAsync_v2(to: *mut c_void, from: u64, bytes: usize, stream: *mut c_void) -> c_uint {
    call("cuMemcpyDtoHAsync", |state| {
        state.current()?;
        state.host.check(to.addr(), bytes)?;
        state.push(stream.addr(), [Work::Copy { from: from as usize, to: to.addr(), bytes, up: false }])
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuMemcpyDtoDAsync_v2(to: u64, from: u64, bytes: usize, stream: *mut c_void) -> c_uint {
    call("cuMemcpyDtoDAsync", |state| {
        state.current()?;
        state.push(stream.addr(), [Work::Move { from: from as usize, to: to as usize, bytes }])
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuMemsetD8Async(to: u64, value: u8, bytes: usize, stream: *mut c_void) -> c_uint {
    call("cuMemsetD8Async", |state| {
        state.current()?;
        state.push(stream.addr(), [Work::Fill { to: to as usize, value, bytes }])
    })
}
