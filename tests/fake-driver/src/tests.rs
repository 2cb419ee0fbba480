//! The driver itself: what it refuses, and how late it does things. One test: there is one driver in a process.

use std::ffi::c_void;
use std::ptr;

use crate::api::{device, graph, memory, stream};
use crate::code::{ILLEGAL_ADDRESS, INVALID_CONTEXT, INVALID_VALUE, NOT_INITIALIZED, NOT_READY, STREAM_CAPTURE_UNSUPPORTED, UNKNOWN};
use crate::state;

/// A result that is written to a place.
fn get<T: Default>(call: impl FnOnce(*mut T) -> u32) -> Result<T, u32> {
    let mut value = T::default();
    match call(&raw mut value) {
        0 => Ok(value),
        code => Err(code),
    }
}

/// The same for a handle.
fn handle(call: impl FnOnce(*mut *mut c_void) -> u32) -> *mut c_void {
    let mut value = ptr::null_mut();
    assert_eq!(call(&raw mut value), 0);
    value
}

#[test]
fn mistakes_are_found_and_work_is_late() {
    // SAFETY: every pointer is to a place of its type, as the driver's documentation wants it; what is wrong is what is tested.
    unsafe {
        assert_eq!(get(|count| device::cuDeviceGetCount(count)), Err(NOT_INITIALIZED.0));
        assert_eq!(device::cuInit(0), 0);
        assert_eq!(get(|count| device::cuDeviceGetCount(count)), Ok(1));
        assert_eq!(get(|address| memory::cuMemAlloc_v2(address, 64)), Err(INVALID_CONTEXT.0), "no context is current");
        device::cuCtxSetCurrent(handle(|context| device::cuDevicePrimaryCtxRetain(context, 0)));
        let stream = handle(|stream| stream::cuStreamCreate(stream, 1));
        let there = get(|address| memory::cuMemAlloc_v2(address, 64)).unwrap();
        let here = handle(|pointer| memory::cuMemHostAlloc(pointer, 64, 0));
        assert_eq!(get(|address| memory::cuMemAlloc_v2(address, 0)), Err(INVALID_VALUE.0));

        // The host's pinned memory is read when the work is done, other memory at once.
        let bytes = here.cast::<[u8; 4]>();
        bytes.write([1; 4]);
        let mut other = [2_u8; 4];
        assert_eq!(memory::cuMemcpyHtoDAsync_v2(there, here, 4, stream), 0);
        assert_eq!(memory::cuMemcpyHtoDAsync_v2(there + 4, other.as_ptr().cast(), 4, stream), 0);
        assert_eq!(memory::cuMemcpyDtoHAsync_v2(here.byte_add(8), there, 8, stream), 0);
        bytes.write([3; 4]);
        other.fill(4);
        let event = handle(|event| stream::cuEventCreate(event, 2));
        assert_eq!((stream::cuEventRecord(event, stream), stream::cuEventQuery(event)), (0, NOT_READY.0));
        assert_eq!((stream::cuEventQuery(event), stream::cuStreamSynchronize(stream)), (0, 0));
        assert_eq!(here.byte_add(8).cast::<[u8; 8]>().read(), [3, 3, 3, 3, 2, 2, 2, 2]);
        assert_eq!(memory::cuMemcpyDtoHAsync_v2(other.as_mut_ptr().cast(), there, 4, stream), ILLEGAL_ADDRESS.0, "not pinned");

        // A graph is what was captured, and nothing waits meanwhile.
        assert_eq!(stream::cuStreamBeginCapture_v2(stream, 1), 0);
        assert_eq!(memory::cuMemsetD8Async(there, 5, 4, stream), 0);
        assert_eq!(stream::cuStreamSynchronize(stream), STREAM_CAPTURE_UNSUPPORTED.0);
        let captured = handle(|graph| stream::cuStreamEndCapture(stream, graph));
        let executable = handle(|executable| graph::cuGraphInstantiateWithFlags(executable, captured, 0));
        assert_eq!((graph::cuGraphDestroy(captured), graph::cuGraphLaunch(executable, stream)), (0, 0));
        assert_eq!(memory::cuMemcpyDtoHAsync_v2(here, there, 4, stream), 0);
        assert_eq!((stream::cuStreamSynchronize(stream), bytes.read()), (0, [5; 4]));

        // What goes wrong in a stream is told by whoever waits, and by everybody after; giving back works.
        assert_eq!(memory::cuMemsetD8Async(there + 61, 0, 4, stream), 0);
        assert_eq!(stream::cuStreamSynchronize(stream), ILLEGAL_ADDRESS.0);
        assert_eq!(get(|address| memory::cuMemAlloc_v2(address, 64)), Err(ILLEGAL_ADDRESS.0));
        assert_eq!(state::lock().live(), 6);
        graph::cuGraphExecDestroy(executable);
        stream::cuEventDestroy_v2(event);
        memory::cuMemFree_v2(there);
        memory::cuMemFreeHost(here);
        stream::cuStreamDestroy_v2(stream);
        device::cuDevicePrimaryCtxRelease_v2(0);
        assert_eq!(state::lock().live(), 0);

        // The call that is to fail does, and no other.
        let mut state = state::lock();
        (state.calls, state.plan) = (0, state::Plan { first: 2, on: false });
        drop(state);
        let found = [(); 3].map(|()| get(|count| device::cuDeviceGetCount(count)));
        assert_eq!(found, [Ok(1), Err(UNKNOWN.0), Ok(1)]);
    }
}
