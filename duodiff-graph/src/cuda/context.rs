//! A GPU in use: its primary context, and the stream that everything runs on.

use std::ffi::c_int;
use std::ptr;

use cudarc::driver::sys::{CUcontext, CUstream};

use super::device::handle;
use super::driver::Driver;
use crate::executor::Fault;

/// Streams of ours do not wait for those of others.
const NON_BLOCKING: u32 = 1;

/// The context and the stream; given back when dropped.
pub(super) struct Context {
    pub driver: &'static Driver,
    pub stream: CUstream,
    context: CUcontext,
    device: c_int,
}

// SAFETY: handles of the driver may be used from any thread in which the context is current; whoever uses one makes it current first.
unsafe impl Send for Context {}

// SAFETY: the driver's functions may be called by many threads at once.
unsafe impl Sync for Context {}

impl Context {
    /// Opens a GPU; its context is current in this thread.
    pub fn new(driver: &'static Driver, ordinal: usize) -> Result<Self, Fault> {
        let device = handle(driver, c_int::try_from(ordinal).unwrap_or(c_int::MAX))?;
        let mut opened = Self { driver, stream: ptr::null_mut(), context: ptr::null_mut(), device };
        // SAFETY: places for handles; the context is alive from here until `opened` is dropped.
        unsafe {
            driver.cuDevicePrimaryCtxRetain(&raw mut opened.context, device)?;
            driver.cuCtxSetCurrent(opened.context)?;
            driver.cuStreamCreate(&raw mut opened.stream, NON_BLOCKING)?;
        }
        Ok(opened)
    }

    /// Makes the context that of this thread.
    pub fn enter(&self) -> Result<(), Fault> {
        // SAFETY: the context is alive.
        unsafe { self.driver.cuCtxSetCurrent(self.context) }
    }

    /// Waits until everything in the stream is done.
    pub fn synchronize(&self) -> Result<(), Fault> {
        // SAFETY: the stream is alive.
        unsafe { self.driver.cuStreamSynchronize(self.stream) }
    }

    /// Bytes of the GPU's memory that are free.
    pub fn free_memory(&self) -> Result<u64, Fault> {
        let (mut free, mut total) = (0_usize, 0_usize);
        // SAFETY: places for numbers.
        unsafe { self.driver.cuMemGetInfo_v2(&raw mut free, &raw mut total) }?;
        Ok(free as u64)
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        if self.context.is_null() {
            return;
        }
        // A failure here has no consequence: the process is done with the device.
        // SAFETY: handles that the driver gave and that nobody uses any more; no stream where setting up failed before it was made.
        unsafe {
            // The thread that drops it need not be the one that opened it.
            drop(self.driver.cuCtxSetCurrent(self.context));
            if !self.stream.is_null() {
                drop(self.driver.cuStreamDestroy_v2(self.stream));
            }
            drop(self.driver.cuDevicePrimaryCtxRelease_v2(self.device));
        }
    }
}
