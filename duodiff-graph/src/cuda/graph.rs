//! A step as a graph that the GPU replays by itself.

use std::ptr;
use std::sync::Arc;

use cudarc::driver::sys::CUgraphExec;

use super::context::Context;
use crate::executor::Fault;

/// What other threads do while a stream is captured does not end the capture.
const THREAD_LOCAL: u32 = 1;

/// An executable graph.
pub(super) struct Graph {
    context: Arc<Context>,
    executable: CUgraphExec,
}

// SAFETY: as for `Context`.
unsafe impl Send for Graph {}

impl Graph {
    /// Records what `launch` puts into the stream instead of running it.
    pub fn capture(context: &Arc<Context>, launch: impl FnOnce() -> Result<(), Fault>) -> Result<Self, Fault> {
        let Context { driver, stream, .. } = **context;
        let mut captured = Self { context: Arc::clone(context), executable: ptr::null_mut() };
        let mut graph = ptr::null_mut();
        // SAFETY: the stream is alive.
        unsafe { driver.cuStreamBeginCapture_v2(stream, THREAD_LOCAL) }?;
        let launched = launch();
        // The capture is ended even if a launch failed: the stream is of no other use before.
        // SAFETY: a place for a handle.
        let ended = unsafe { driver.cuStreamEndCapture(stream, &raw mut graph) };
        let made = launched.and(ended).and_then(|()| {
            // SAFETY: the graph was captured; a place for a handle.
            unsafe { driver.cuGraphInstantiateWithFlags(&raw mut captured.executable, graph, 0) }
        });
        if !graph.is_null() {
            // SAFETY: the executable graph does not need the graph that it was made of.
            drop(unsafe { driver.cuGraphDestroy(graph) });
        }
        made?;
        // SAFETY: the executable graph and the stream are alive.
        unsafe { driver.cuGraphUpload(captured.executable, stream) }?;
        Ok(captured)
    }

    /// Replays the graph once, in the stream.
    pub fn launch(&self) -> Result<(), Fault> {
        // SAFETY: as above.
        unsafe { self.context.driver.cuGraphLaunch(self.executable, self.context.stream) }
    }
}

impl Drop for Graph {
    fn drop(&mut self) {
        if !self.executable.is_null() {
            // SAFETY: a handle that the driver gave; what runs in the stream was waited for.
            drop(unsafe { self.context.driver.cuGraphExecDestroy(self.executable) });
        }
    }
}
