//! How far the stream is, without waiting for it: events that are asked now and then.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::ptr;
use std::sync::Arc;
use std::time::Duration;

use cudarc::driver::sys::CUevent;

use super::context::Context;
use crate::executor::Fault;

/// Steps from one event to the next.
pub(super) const STEPS: usize = 8;

/// Events that may be ahead: so many times [`STEPS`] steps are in the stream at most, and run on after the watcher has stopped it.
const EVENTS: usize = 4;

/// Between two questions: short beside the steps that are in the stream.
const PAUSE: Duration = Duration::from_micros(50);

/// Events without times.
const DISABLE_TIMING: u32 = 2;

/// Events in the stream, each after a number of steps.
pub(super) struct Markers {
    context: Arc<Context>,
    events: Vec<CUevent>,
    /// Event and steps, in the stream's order.
    ahead: VecDeque<(CUevent, usize)>,
}

// SAFETY: as for `Context`.
unsafe impl Send for Markers {}

impl Markers {
    /// No event is in the stream yet.
    pub fn new(context: &Arc<Context>) -> Result<Self, Fault> {
        let mut markers = Self { context: Arc::clone(context), events: Vec::new(), ahead: VecDeque::new() };
        for _ in 0..EVENTS {
            let mut event = ptr::null_mut();
            // SAFETY: a place for a handle.
            unsafe { context.driver.cuEventCreate(&raw mut event, DISABLE_TIMING) }?;
            markers.events.push(event);
        }
        Ok(markers)
    }

    /// Forgets what is in the stream: it was waited for.
    pub fn clear(&mut self) {
        self.ahead.clear();
    }

    /// Puts an event after `done` steps into the stream; tells `watch` of those that have passed, and waits while all are ahead.
    pub fn mark(&mut self, done: usize, watch: &mut dyn FnMut(usize) -> ControlFlow<()>) -> Result<ControlFlow<usize>, Fault> {
        let passed = self.pass(EVENTS - 1, watch)?;
        if passed.is_continue() {
            let free = self.events.iter().find(|event| self.ahead.iter().all(|(ahead, _)| ahead != *event));
            let event = *free.expect("invariant: at least one event is not ahead");
            // SAFETY: event and stream are alive.
            unsafe { self.context.driver.cuEventRecord(event, self.context.stream) }?;
            self.ahead.push_back((event, done));
        }
        Ok(passed)
    }

    /// Tells `watch` of the events that have passed, until at most `most` are ahead. Breaks with the steps that it was told of last.
    pub fn pass(&mut self, most: usize, watch: &mut dyn FnMut(usize) -> ControlFlow<()>) -> Result<ControlFlow<usize>, Fault> {
        while let Some((event, done)) = self.ahead.front().copied() {
            if self.context.driver.is_done(event)? {
                self.ahead.pop_front();
                if watch(done).is_break() {
                    return Ok(ControlFlow::Break(done));
                }
            } else if self.ahead.len() > most {
                std::thread::sleep(PAUSE);
            } else {
                break;
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}

impl Drop for Markers {
    fn drop(&mut self) {
        for event in &self.events {
            // SAFETY: a handle that the driver gave; what runs in the stream was waited for.
            drop(unsafe { self.context.driver.cuEventDestroy_v2(*event) });
        }
    }
}
