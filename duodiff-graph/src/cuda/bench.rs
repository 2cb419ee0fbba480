//! For measurements, and for the tests of kernels on a GPU: launches one by one, of any arguments.
//!
//! No part of the interface: it changes with the kernels.

use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;
use std::time::Duration;

use super::context::Context;
use super::graph::Graph;
use super::memory::{Buffer, Pinned};
use super::module::Modules;
use super::stopwatch::Stopwatch;
use super::tensor::encode;
use super::{CudaError, DeviceRecord, Gpu};
use crate::emit::Cubin;
use crate::executor::Fault;
use crate::launch::{Kernel, Launch, Module, Tensor};

/// A grid of blocks: blocks along x, y and z, threads of a block, and bytes of its shared memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Blocks.
    pub grid: [u32; 3],
    /// Threads.
    pub block: u32,
    /// Bytes.
    pub shared: u32,
}

/// A GPU with modules.
pub struct Bench {
    // Dropped in this order.
    modules: Modules,
    context: Arc<Context>,
    record: DeviceRecord,
}

/// Memory of the host at an address that kernels take too.
pub struct Shared {
    memory: Pinned<u8>,
}

/// Memory of the GPU.
pub struct Device {
    buffer: Buffer,
}

impl Bench {
    /// Loads cubins, at most one per module.
    pub fn new(gpu: Gpu, cubins: &[Cubin]) -> Result<Self, CudaError> {
        let Gpu { context, record } = gpu;
        context.enter()?;
        let modules = Modules::new(&context, cubins.iter().map(|cubin| (cubin.module, cubin.bytes.as_slice())))?;
        Ok(Self { modules, context, record })
    }

    /// The GPU.
    pub fn record(&self) -> &DeviceRecord {
        &self.record
    }

    /// Memory that host and GPU share: slow for the GPU, but no copies.
    pub fn share(&self, bytes: usize) -> Result<Shared, Fault> {
        self.context.enter()?;
        Ok(Shared { memory: Pinned::new(&self.context, bytes)? })
    }

    /// Memory of the GPU with this content.
    pub fn upload(&self, content: &[u8]) -> Result<Device, Fault> {
        self.context.enter()?;
        let buffer = Buffer::new(&self.context, content.len())?;
        buffer.write(0, content)?;
        self.context.synchronize()?;
        Ok(Device { buffer })
    }

    /// The map of a tensor that lies at an address, as kernels take it.
    pub fn map(&self, tensor: &Tensor, address: u64) -> Result<[u64; 16], Fault> {
        encode(self.context.driver, tensor, address)
    }

    /// Launches a kernel and waits for it.
    ///
    /// # Safety
    /// `parameters` points to one argument per parameter of the kernel, each of its type, with addresses of memory that the GPU can use
    /// and of the size that the kernel touches.
    pub unsafe fn launch(&mut self, module: Module, entry: &str, shape: Shape, parameters: &mut [*mut c_void]) -> Result<(), Fault> {
        self.context.enter()?;
        let launch = self.find(module, entry, shape)?;
        // SAFETY: granted by the caller.
        unsafe { self.modules.launch(&launch, parameters) }?;
        self.context.synchronize()
    }

    /// The device's time for a launch: the median over `rounds` replays of a graph of `count` of them, one after the other.
    ///
    /// # Safety
    /// As for [`Self::launch`].
    pub unsafe fn time(
        &mut self,
        (module, entry, shape): (Module, &str, Shape),
        parameters: &mut [*mut c_void],
        count: u32,
        rounds: usize,
    ) -> Result<Duration, Fault> {
        self.context.enter()?;
        let launch = self.find(module, entry, shape)?;
        let modules = &self.modules;
        let graph = Graph::capture(&self.context, || {
            // SAFETY: granted by the caller.
            (0..count).try_for_each(|_| unsafe { modules.launch(&launch, parameters) })
        })?;
        Ok(self.median(rounds, || graph.launch())? / count)
    }

    /// The time of a copy of so many bytes from one place of the GPU's memory to another: the median over `rounds`.
    pub fn time_copy(&self, bytes: usize, rounds: usize) -> Result<Duration, Fault> {
        self.context.enter()?;
        let [from, to] = [Buffer::new(&self.context, bytes)?, Buffer::new(&self.context, bytes)?];
        from.clear(0, bytes)?;
        let Context { driver, stream, .. } = &*self.context;
        // SAFETY: both buffers are alive until the stream was waited for, and as long as that.
        self.median(rounds, || unsafe { driver.cuMemcpyDtoDAsync_v2(to.address, from.address, bytes, *stream) })
    }

    /// The device's time for what `work` puts into the stream: the median over `rounds`, after one that does not count.
    fn median(&self, rounds: usize, work: impl Fn() -> Result<(), Fault>) -> Result<Duration, Fault> {
        let stopwatch = Stopwatch::new(&self.context)?;
        let mut times = Vec::with_capacity(rounds);
        for round in 0..=rounds {
            stopwatch.start()?;
            let worked = work();
            let stopped = stopwatch.stop();
            self.context.synchronize()?;
            worked.and(stopped)?;
            if round > 0 {
                times.push(stopwatch.elapsed()?);
            }
        }
        times.sort();
        Ok(times[rounds / 2])
    }

    fn find(&mut self, module: Module, entry: &str, Shape { grid, block, shared }: Shape) -> Result<Launch, Fault> {
        let launch = Launch { kernel: Kernel::new(module, entry), grid, block, shared, arguments: Vec::new() };
        self.modules.prepare(std::slice::from_ref(&launch))?;
        Ok(launch)
    }
}

impl Shared {
    /// The address, for both.
    pub fn pointer(&self) -> *mut u8 {
        ptr::from_ref(self.memory.get()).cast_mut().cast()
    }
}

impl Device {
    /// The address on the GPU.
    pub fn address(&self) -> u64 {
        self.buffer.address
    }
}
