//! Streams and events.

use std::ffi::{c_int, c_uint, c_void};
use std::ptr;

use super::write;
use crate::code::{ILLEGAL_STATE, INVALID_HANDLE, NOT_READY};
use crate::state::{call, release};
use crate::stream::{Stream, Work};

/// Pieces of work that are done while somebody asks whether an event has passed.
const SLICE: usize = 64;

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuStreamCreate(stream: *mut *mut c_void, _flags: c_uint) -> c_uint {
    call("cuStreamCreate", |state| {
        state.current_idle()?;
        let handle = state.handle();
        state.streams.insert(handle, Stream::default());
        // SAFETY: granted by the caller.
        unsafe { write(stream, ptr::without_provenance_mut(handle)) }
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuStreamDestroy_v2(stream: *mut c_void) -> c_uint {
    release("cuStreamDestroy", |state| {
        let done = state.current().and_then(|_| state.work(stream.addr(), usize::MAX));
        state.streams.remove(&stream.addr()).ok_or(INVALID_HANDLE)?;
        done
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuStreamSynchronize(stream: *mut c_void) -> c_uint {
    call("cuStreamSynchronize", |state| {
        state.current_idle()?;
        state.work(stream.addr(), usize::MAX)?;
        state.log.line("sync".into());
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuStreamBeginCapture_v2(stream: *mut c_void, _mode: c_int) -> c_uint {
    call("cuStreamBeginCapture", |state| {
        state.current_idle()?;
        state.streams.get_mut(&stream.addr()).ok_or(INVALID_HANDLE)?.capture = Some(Vec::new());
        Ok(())
    })
}

/// Ends the capture even where it is to fail.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuStreamEndCapture(stream: *mut c_void, graph: *mut *mut c_void) -> c_uint {
    release("cuStreamEndCapture", |state| {
        let captured = state.streams.get_mut(&stream.addr()).ok_or(INVALID_HANDLE)?.capture.take().ok_or(ILLEGAL_STATE)?;
        state.current()?;
        let handle = state.handle();
        state.graphs.insert(handle, captured);
        // SAFETY: granted by the caller.
        unsafe { write(graph, ptr::without_provenance_mut(handle)) }
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuEventCreate(event: *mut *mut c_void, _flags: c_uint) -> c_uint {
    call("cuEventCreate", |state| {
        state.current_idle()?;
        let handle = state.handle();
        state.events.insert(handle, (0, 0));
        // SAFETY: granted by the caller.
        unsafe { write(event, ptr::without_provenance_mut(handle)) }
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuEventRecord(event: *mut c_void, stream: *mut c_void) -> c_uint {
    call("cuEventRecord", |state| {
        state.current()?;
        let (recorded, _) = state.events.get_mut(&event.addr()).ok_or(INVALID_HANDLE)?;
        *recorded += 1;
        let work = Work::Event(event.addr(), *recorded);
        state.push(stream.addr(), [work])
    })
}

/// The device goes on a little whenever it is asked.
#[unsafe(no_mangle)]
pub extern "C" fn cuEventQuery(event: *mut c_void) -> c_uint {
    call("cuEventQuery", |state| {
        state.current_idle()?;
        let (recorded, passed) = *state.events.get(&event.addr()).ok_or(INVALID_HANDLE)?;
        if recorded == passed {
            return Ok(());
        }
        let streams: Vec<usize> = state.streams.keys().copied().collect();
        streams.into_iter().try_for_each(|stream| state.work(stream, SLICE))?;
        Err(NOT_READY)
    })
}

/// No work takes time here, but both events must have passed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuEventElapsedTime(milliseconds: *mut f32, start: *mut c_void, end: *mut c_void) -> c_uint {
    call("cuEventElapsedTime", |state| {
        state.current_idle()?;
        for event in [start, end] {
            match *state.events.get(&event.addr()).ok_or(INVALID_HANDLE)? {
                (0, _) => return Err(INVALID_HANDLE),
                (recorded, passed) if recorded != passed => return Err(NOT_READY),
                _ => {}
            }
        }
        // SAFETY: granted by the caller.
        unsafe { write(milliseconds, 0.001) }
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuEventDestroy_v2(event: *mut c_void) -> c_uint {
    release("cuEventDestroy", |state| {
        state.events.remove(&event.addr()).ok_or(INVALID_HANDLE)?;
        state.current().map(|_| ())
    })
}
