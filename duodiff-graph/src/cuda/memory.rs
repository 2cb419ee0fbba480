//! Memory of the GPU, and memory of the host that the GPU copies from and to by itself. Both are freed when dropped.

use std::ptr;
use std::sync::Arc;

use bytemuck::Pod;

use super::context::Context;
use crate::executor::Fault;

/// Pieces start at multiples of this many bytes, as the driver's own allocations do.
pub(super) const LINE: u64 = 256;

/// Memory of the GPU.
pub(super) struct Buffer {
    context: Arc<Context>,
    /// Address on the GPU; 0 if it has no bytes.
    pub address: u64,
    pub bytes: usize,
}

impl Buffer {
    /// `bytes` without content.
    pub fn new(context: &Arc<Context>, bytes: usize) -> Result<Self, Fault> {
        let mut buffer = Self { context: Arc::clone(context), address: 0, bytes };
        if bytes > 0 {
            // SAFETY: a place for an address.
            unsafe { context.driver.cuMemAlloc_v2(&raw mut buffer.address, bytes) }?;
        }
        Ok(buffer)
    }

    /// Copies to byte `at` of the buffer, in the stream's order. Memory of the host that is no [`Pinned`] is read before this returns.
    pub fn write<T: Pod>(&self, at: usize, from: &[T]) -> Result<(), Fault> {
        let bytes = size_of_val(from);
        assert!(at + bytes <= self.bytes, "invariant: a copy stays in its buffer");
        if bytes == 0 {
            return Ok(());
        }
        let Context { driver, stream, .. } = &*self.context;
        // SAFETY: both ends are alive and as long as that.
        unsafe { driver.cuMemcpyHtoDAsync_v2(self.address + at as u64, from.as_ptr().cast(), bytes, *stream) }
    }

    /// Fills `bytes` from byte `at` on with zeros, in the stream's order.
    pub fn clear(&self, at: usize, bytes: usize) -> Result<(), Fault> {
        assert!(at + bytes <= self.bytes, "invariant: a fill stays in its buffer");
        let Context { driver, stream, .. } = &*self.context;
        // SAFETY: the buffer is alive and as long as that.
        unsafe { driver.cuMemsetD8Async(self.address + at as u64, 0, bytes, *stream) }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if self.address != 0 {
            // A failure here has no consequence: the memory goes with the context.
            // SAFETY: an address that the driver gave; what runs in the stream was waited for.
            drop(unsafe { self.context.driver.cuMemFree_v2(self.address) });
        }
    }
}

/// Page-locked memory of the host.
pub(super) struct Pinned<T> {
    context: Arc<Context>,
    pointer: *mut T,
    length: usize,
}

// SAFETY: the memory belongs to this value alone.
unsafe impl<T: Send> Send for Pinned<T> {}

impl<T: Pod> Pinned<T> {
    /// `length` zeros.
    pub fn new(context: &Arc<Context>, length: usize) -> Result<Self, Fault> {
        let mut pinned = Self { context: Arc::clone(context), pointer: ptr::null_mut(), length };
        let (bytes, mut pointer) = ((length * size_of::<T>()).max(1), ptr::null_mut());
        // SAFETY: a place for an address.
        unsafe { context.driver.cuMemHostAlloc(&raw mut pointer, bytes, 0) }?;
        // SAFETY: the driver gave so many bytes, aligned to a page.
        unsafe { pointer.cast::<u8>().write_bytes(0, bytes) };
        pinned.pointer = pointer.cast();
        Ok(pinned)
    }

    /// The memory.
    pub fn get(&self) -> &[T] {
        // SAFETY: so many values of plain data; the GPU writes them between two waits of the executor only, which holds no such reference.
        unsafe { std::slice::from_raw_parts(self.pointer, self.length) }
    }

    /// Copies so many values from an address of the GPU, in the stream's order: they are there when the stream was waited for.
    pub fn read(&mut self, from: u64, count: usize) -> Result<(), Fault> {
        assert!(count <= self.length, "invariant: a copy stays in its buffer");
        let Context { driver, stream, .. } = &*self.context;
        // SAFETY: both ends are alive until the stream was waited for.
        unsafe { driver.cuMemcpyDtoHAsync_v2(self.pointer.cast(), from, count * size_of::<T>(), *stream) }
    }
}

impl<T> Drop for Pinned<T> {
    fn drop(&mut self) {
        if !self.pointer.is_null() {
            // SAFETY: an address that the driver gave; what runs in the stream was waited for.
            drop(unsafe { self.context.driver.cuMemFreeHost(self.pointer.cast()) });
        }
    }
}
