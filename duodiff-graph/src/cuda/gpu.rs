//! A GPU that was opened for one executor, before anything is loaded.

use std::sync::Arc;

use super::context::Context;
use super::driver::Driver;
use super::{CudaError, DeviceRecord, devices};

/// An open GPU with a stream of its own. It is given back when this, or the executor that was made of it, is dropped.
pub struct Gpu {
    pub(super) context: Arc<Context>,
    pub(super) record: DeviceRecord,
}

impl Gpu {
    /// Opens the GPU of a number.
    pub fn open(ordinal: usize) -> Result<Self, CudaError> {
        let all = devices()?;
        let count = all.len();
        let record = all.into_iter().nth(ordinal).ok_or(CudaError::Ordinal { found: ordinal, count })?;
        Ok(Self { context: Arc::new(Context::new(Driver::get()?, ordinal)?), record })
    }

    /// What it is.
    pub fn record(&self) -> &DeviceRecord {
        &self.record
    }

    /// Bytes of its memory that are free.
    pub fn free_memory(&self) -> Result<u64, CudaError> {
        self.context.enter()?;
        Ok(self.context.free_memory()?)
    }
}
