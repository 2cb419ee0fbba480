//! The device's own clock: events on both sides of work in the stream.

use std::ptr;
use std::sync::Arc;
use std::time::Duration;

use cudarc::driver::sys::CUevent;

use super::context::Context;
use crate::executor::Fault;

/// Two events with times.
pub(super) struct Stopwatch {
    context: Arc<Context>,
    events: [CUevent; 2],
}

// SAFETY: as for `Context`.
unsafe impl Send for Stopwatch {}

impl Stopwatch {
    pub fn new(context: &Arc<Context>) -> Result<Self, Fault> {
        let mut stopwatch = Self { context: Arc::clone(context), events: [ptr::null_mut(); 2] };
        for event in &mut stopwatch.events {
            // SAFETY: a place for a handle.
            unsafe { context.driver.cuEventCreate(event, 0) }?;
        }
        Ok(stopwatch)
    }

    /// Starts where the stream is.
    pub fn start(&self) -> Result<(), Fault> {
        self.record(self.events[0])
    }

    /// Stops where the stream is.
    pub fn stop(&self) -> Result<(), Fault> {
        self.record(self.events[1])
    }

    fn record(&self, event: CUevent) -> Result<(), Fault> {
        // SAFETY: event and stream are alive.
        unsafe { self.context.driver.cuEventRecord(event, self.context.stream) }
    }

    /// From start to stop, when the stream was waited for.
    pub fn elapsed(&self) -> Result<Duration, Fault> {
        let mut milliseconds = 0.0;
        // SAFETY: a place for a number; both events are alive.
        unsafe { self.context.driver.cuEventElapsedTime(&raw mut milliseconds, self.events[0], self.events[1]) }?;
        Ok(Duration::from_secs_f64(f64::from(milliseconds.max(0.0)) / 1000.0))
    }
}

impl Drop for Stopwatch {
    fn drop(&mut self) {
        for event in self.events.into_iter().filter(|event| !event.is_null()) {
            // SAFETY: a handle that the driver gave; what runs in the stream was waited for.
            drop(unsafe { self.context.driver.cuEventDestroy_v2(event) });
        }
    }
}
