//! The executor: opens a GPU, loads kernels and weights, evaluates backbones, follows trajectories.

mod trace;

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::time::Duration;

use super::loaded::Loaded;
use super::markers::Markers;
use super::memory::Buffer;
use super::module::Modules;
use super::places::Places;
use super::state::State;
use super::stopwatch::Stopwatch;
use super::tables::Tables;
use super::trajectory::{Graphs, Key, Rows, Trajectory};
use super::weights::Layout;
use super::{CudaError, DeviceRecord, Gpu, Memory};
use super::{elf, fit};
use crate::emit::Cubin;
use crate::executor::{Executor, ExecutorError, Request, check};
use crate::launch::{self, DevicePlan, Entries, Module, Precision};
use crate::noise::Noise;
use crate::plan::Plan;
use crate::process::Steps;
use crate::target::Sm;
use crate::weights::Weights;

/// How an executor is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// The largest number of images per call, at least 1.
    pub batch: usize,
    /// What products are computed in.
    pub precision: Precision,
}

/// Executes a plan on a GPU.
pub struct Cuda {
    // Dropped in this order: what runs on memory before the memory.
    graphs: Option<Graphs>,
    stopwatch: Option<Stopwatch>,
    markers: Markers,
    rows: Rows,
    tables: Vec<Tables>,
    state: State,
    loaded: Loaded,
    record: DeviceRecord,
    plan: Plan,
    batch: usize,
}

impl Cuda {
    /// Loads the kernels that fit the GPU and the weights, one set per backbone in the plan's order, and allocates everything but what
    /// depends on the number of steps.
    pub fn new(gpu: Gpu, plan: Plan, weights: Vec<Weights>, cubins: &[Cubin], options: Options) -> Result<Self, CudaError> {
        Self::with_table(gpu, plan, weights, cubins, options, |known| known)
    }

    /// The same with another entry for the kind of GPU: for measurements of what is not chosen by default.
    pub fn with_table(
        gpu: Gpu,
        plan: Plan,
        weights: Vec<Weights>,
        cubins: &[Cubin],
        options: Options,
        table: impl Fn(launch::Gpu) -> launch::Gpu,
    ) -> Result<Self, CudaError> {
        let Options { batch, precision } = options;
        if batch == 0 {
            return Err(CudaError::Zero);
        }
        let Gpu { context, record } = gpu;
        let target = choose(cubins, &record)?;
        let device = DevicePlan::with_table(&plan, precision, table(launch::Gpu::of(target)))?;
        device.check_batch(batch)?;
        let modules = select(cubins, target, &device)?;
        let (found, wanted) = (weights.len(), plan.backbones.len());
        if found != wanted {
            let (backbone, why) = (plan.spec.name.clone(), format!("come for {found} backbones, wanted {wanted}"));
            return Err(CudaError::Weights { backbone, key: "the weights".into(), why });
        }
        context.enter()?;
        let layout = Layout::new(&plan, &device)?;
        let (needed, free) = (Memory::predict(&plan, &device, batch, &[])?.total(), context.free_memory()?);
        if needed > free {
            return Err(CudaError::Memory { needed, free });
        }
        let modules = Modules::new(&context, modules.into_iter())?;
        let (weights, params) = layout.upload(&context, &plan, weights)?;
        let arena = Buffer::new(&context, device.arena * batch)?;
        let loaded = Loaded { modules, params, weights, arena, device, context };
        let tables = (0..plan.backbones.len()).map(|backbone| Tables::new(&loaded, backbone)).collect::<Result<_, _>>()?;
        Ok(Self {
            graphs: None,
            stopwatch: None,
            markers: Markers::new(&loaded.context)?,
            rows: Rows::new(&loaded)?,
            tables,
            state: State::new(&loaded.context, plan.spec.image.elements(), batch)?,
            loaded,
            record,
            plan,
            batch,
        })
    }

    /// The GPU in use.
    pub fn device(&self) -> &DeviceRecord {
        &self.record
    }

    /// The kind of GPU that the kernels in use were compiled for.
    pub fn target(&self) -> Sm {
        self.loaded.device.gpu.target
    }

    /// What the executor takes on the GPU for a trajectory along `steps`.
    pub fn memory(&self, steps: &Steps) -> Result<Memory, CudaError> {
        let evaluations = steps.evaluations(self.plan.backbones.len());
        Memory::predict(&self.plan, &self.loaded.device, self.batch, &evaluations)
    }

    /// Has the device time the steps of every trajectory from now on, for [`Self::elapsed`].
    pub fn time_steps(&mut self) -> Result<(), CudaError> {
        self.loaded.context.enter()?;
        self.stopwatch = Some(Stopwatch::new(&self.loaded.context)?);
        Ok(())
    }

    /// The device's time from the first to the last step of the last trajectory that went to its end; none if it was not timed.
    pub fn elapsed(&self) -> Result<Option<Duration>, CudaError> {
        self.loaded.context.enter()?;
        Ok(self.stopwatch.as_ref().map(Stopwatch::elapsed).transpose()?)
    }

    /// Fills tables and rows. The graphs are forgotten if something that they point to moved.
    fn fill(&mut self, steps: &Steps) -> Result<u32, ExecutorError> {
        let mut moved = false;
        for (backbone, tables) in self.tables.iter_mut().enumerate() {
            let times: Vec<f32> = steps.rows.iter().filter(|row| row.backbone == backbone).map(|row| row.time).collect();
            moved |= tables.fill(&mut self.loaded, &times)?;
        }
        let (rows_moved, entry) = self.rows.fill(&self.loaded, &steps.rows, self.tables.len())?;
        if moved || rows_moved {
            self.graphs = None;
        }
        Ok(entry)
    }

    fn evaluate(&mut self, backbone: usize, x: &[f32], times: &[f32], labels: &[u32]) -> Result<(), ExecutorError> {
        if self.tables[backbone].fill(&mut self.loaded, times)? {
            self.graphs = None;
        }
        let launches = self.loaded.device.body(backbone, times.len(), Entries::Image)?;
        self.loaded.modules.prepare(&launches)?;
        self.state.feed(x, labels)?;
        let mut places = Places { arena: self.loaded.arena.address, ..Places::default() };
        self.state.locate(&mut places);
        self.tables[backbone].locate(&self.loaded.device, &mut places);
        self.loaded.launch(&launches, backbone, &places)?;
        Ok(self.state.images.read(places.output, x.len())?)
    }

    fn sample(
        &mut self,
        steps: &Steps,
        images: &[Request],
        seed: u64,
        watch: &mut dyn FnMut(usize) -> ControlFlow<()>,
    ) -> Result<(), ExecutorError> {
        let (labels, nulls) = check::request_labels(&self.plan.spec, images, steps.guidance)?;
        let entry = self.fill(steps)?;
        let scales = steps.rows.iter().any(|row| row.scale != 1.0);
        let key = Key { images: images.len(), seed, guidance: steps.guidance, scales };
        let Self { loaded, state, tables, rows, stopwatch, .. } = self;
        let mut trajectory = Trajectory { loaded, state, tables, rows, key, stopwatch: stopwatch.as_ref() };
        let known = self.graphs.take().filter(|graphs| graphs.serve(key, steps));
        let graphs = match known {
            Some(graphs) => graphs,
            None => trajectory.capture(steps)?,
        };
        trajectory.begin(images, &labels, &nulls, entry)?;
        trajectory.run(&graphs, steps, &mut self.markers, watch)?;
        self.graphs = Some(graphs);
        Ok(())
    }

    /// What a call returns; after a failure the stream is waited for, so that the next call finds it empty.
    fn settle<T>(&self, result: Result<T, ExecutorError>) -> Result<T, ExecutorError> {
        if matches!(result, Err(ExecutorError::Device(_))) {
            drop(self.loaded.context.synchronize());
        }
        result
    }
}

/// The closest kind of GPU that there are kernels for.
fn choose(cubins: &[Cubin], record: &DeviceRecord) -> Result<Sm, CudaError> {
    let compiled: BTreeSet<Sm> = cubins.iter().map(|cubin| cubin.target).collect();
    let compiled: Vec<Sm> = compiled.into_iter().collect();
    match (compiled.is_empty(), fit::best(record)) {
        (true, Some(target)) => Err(CudaError::NoKernels { target }),
        _ => Ok(fit::choose(&compiled, record)?),
    }
}

/// The modules that the plan's launches need.
fn select<'a>(cubins: &'a [Cubin], target: Sm, device: &DevicePlan) -> Result<Vec<(Module, &'a [u8])>, CudaError> {
    let select = |module: Module| {
        let found = cubins.iter().find(|cubin| cubin.target == target && cubin.module == module);
        let missing = CudaError::Module { target, module: module.name(), precision: device.precision };
        let bytes = found.map(|cubin| cubin.bytes.as_slice()).ok_or(missing)?;
        if elf::is_whole(bytes) { Ok((module, bytes)) } else { Err(CudaError::Cubin { target, module: module.name() }) }
    };
    device.modules()?.into_iter().map(select).collect()
}

impl Executor for Cuda {
    fn plan(&self) -> &Plan {
        &self.plan
    }

    fn batch(&self) -> usize {
        self.batch
    }

    fn forward(&mut self, backbone: usize, x: &[f32], times: &[f32], labels: Option<&[u32]>, out: &mut [f32]) -> Result<(), ExecutorError> {
        check::forward(&self.plan, self.batch, backbone, x, times, labels, out)?;
        if times.is_empty() {
            return Ok(());
        }
        self.loaded.context.enter()?;
        let map = self.plan.spec.time_of(backbone);
        let fed: Vec<f32> = times.iter().map(|&t| map.at(t)).collect();
        let evaluated = self.evaluate(backbone, x, &fed, labels.unwrap_or_default());
        self.settle(evaluated)?;
        self.loaded.context.synchronize()?;
        out.copy_from_slice(&self.state.images.get()[..out.len()]);
        Ok(())
    }

    fn trajectory(
        &mut self,
        steps: &Steps,
        images: &[Request],
        noise: &dyn Noise,
        watch: &mut dyn FnMut(usize) -> ControlFlow<()>,
    ) -> Result<Vec<f32>, ExecutorError> {
        check::batch("images", images.len(), self.batch)?;
        let seed = noise.philox().ok_or(ExecutorError::Noise)?.seed;
        if images.is_empty() {
            return Ok(Vec::new());
        }
        self.loaded.context.enter()?;
        let sampled = self.sample(steps, images, seed, watch);
        self.settle(sampled)?;
        let count = images.len() * self.plan.spec.image.elements();
        let images = self.state.images.get()[..count].to_vec();
        match watch(steps.rows.len()) {
            ControlFlow::Break(()) => Err(ExecutorError::Stopped { done: steps.rows.len() }),
            ControlFlow::Continue(()) => Ok(images),
        }
    }
}

impl Drop for Cuda {
    fn drop(&mut self) {
        // What was dropped in the middle of a call may still run.
        if self.loaded.context.enter().is_ok() {
            drop(self.loaded.context.synchronize());
        }
    }
}
