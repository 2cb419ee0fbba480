//! Graphs.

use std::ffi::{c_uint, c_ulonglong, c_void};
use std::ptr;

use super::write;
use crate::code::INVALID_HANDLE;
use crate::state::{call, release};
use crate::stream::Work;

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuGraphInstantiateWithFlags(executable: *mut *mut c_void, graph: *mut c_void, _flags: c_ulonglong) -> c_uint {
    call("cuGraphInstantiateWithFlags", |state| {
        state.current_idle()?;
        let work = state.graphs.get(&graph.addr()).ok_or(INVALID_HANDLE)?.clone();
        let handle = state.handle();
        state.executables.insert(handle, work);
        // SAFETY: granted by the caller.
        unsafe { write(executable, ptr::without_provenance_mut(handle)) }
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuGraphUpload(executable: *mut c_void, _stream: *mut c_void) -> c_uint {
    call("cuGraphUpload", |state| {
        state.current_idle()?;
        if state.executables.contains_key(&executable.addr()) { Ok(()) } else { Err(INVALID_HANDLE) }
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuGraphLaunch(executable: *mut c_void, stream: *mut c_void) -> c_uint {
    call("cuGraphLaunch", |state| {
        state.current()?;
        let work = state.executables.get(&executable.addr()).ok_or(INVALID_HANDLE)?.clone();
        state.push(stream.addr(), std::iter::once(Work::Graph).chain(work))
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuGraphExecDestroy(executable: *mut c_void) -> c_uint {
    release("cuGraphExecDestroy", |state| {
        state.executables.remove(&executable.addr()).ok_or(INVALID_HANDLE)?;
        state.current().map(|_| ())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuGraphDestroy(graph: *mut c_void) -> c_uint {
    release("cuGraphDestroy", |state| {
        state.graphs.remove(&graph.addr()).ok_or(INVALID_HANDLE)?;
        state.current().map(|_| ())
    })
}
