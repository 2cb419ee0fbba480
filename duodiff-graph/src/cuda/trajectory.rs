//! One trajectory: a graph per backbone, replayed step after step without a word from the host.

use std::ops::ControlFlow;

use super::arguments::{RowRecord, StepRecord};
use super::graph::Graph;
use super::loaded::Loaded;
use super::markers::{Markers, STEPS};
use super::memory::Buffer;
use super::places::Places;
use super::state::State;
use super::stopwatch::Stopwatch;
use super::tables::Tables;
use crate::executor::{ExecutorError, Fault, Request};
use crate::launch::{self, Entries, Launch};
use crate::process::{Row, Steps};

/// Everything that the graphs of a trajectory depend on, but for the addresses of tables and rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Key {
    pub images: usize,
    pub seed: u64,
    pub guidance: f32,
    /// Whether some row feeds the network a scaled state.
    pub scales: bool,
}

/// Graphs of a step, by backbone, where it is evaluated.
pub(super) struct Graphs {
    key: Key,
    steps: Vec<Option<Graph>>,
}

/// The solver's rows on the GPU.
pub(super) struct Rows {
    buffer: Buffer,
    room: usize,
}

/// Bytes of the rows of so many steps.
pub(super) fn row_bytes(steps: usize) -> u64 {
    (steps * size_of::<RowRecord>()) as u64
}

impl Rows {
    /// No rows.
    pub fn new(loaded: &Loaded) -> Result<Self, Fault> {
        Ok(Self { buffer: Buffer::new(&loaded.context, 0)?, room: 0 })
    }

    /// Uploads rows. Returns whether they moved, and the entry that the first reads.
    pub fn fill(&mut self, loaded: &Loaded, rows: &[Row], backbones: usize) -> Result<(bool, u32), Fault> {
        let mut next = vec![0; backbones];
        let entries: Vec<u32> = rows
            .iter()
            .map(|row| {
                next[row.backbone] += 1;
                next[row.backbone] - 1
            })
            .collect();
        let after = entries.iter().skip(1).copied().chain([0]);
        let records: Vec<_> = rows.iter().zip(after).map(|(row, entry)| RowRecord::new(row, entry)).collect();
        let moves = rows.len() > self.room;
        if moves {
            (self.room, self.buffer) = (0, Buffer::new(&loaded.context, 0)?);
            self.buffer = Buffer::new(&loaded.context, row_bytes(rows.len()) as usize)?;
            self.room = rows.len();
        }
        self.buffer.write(0, &records)?;
        Ok((moves, entries.first().copied().unwrap_or_default()))
    }
}

/// What a trajectory works on.
pub(super) struct Trajectory<'a> {
    pub loaded: &'a mut Loaded,
    pub state: &'a mut State,
    pub tables: &'a [Tables],
    pub rows: &'a Rows,
    pub key: Key,
    /// Runs while the steps do.
    pub stopwatch: Option<&'a Stopwatch>,
}

impl Trajectory<'_> {
    fn places(&self, backbone: usize) -> Places {
        let mut places = Places { arena: self.loaded.arena.address, rows: self.rows.buffer.address, ..Places::default() };
        self.state.locate(&mut places);
        self.tables[backbone].locate(&self.loaded.device, &mut places);
        if self.key.scales {
            places.image = self.state.fed();
        }
        places
    }

    /// The graphs of the backbones that `steps` evaluates.
    pub fn capture(&mut self, steps: &Steps) -> Result<Graphs, ExecutorError> {
        let count = self.loaded.device.backbones.len();
        let mut graphs = Graphs { key: self.key, steps: (0..count).map(|_| None).collect() };
        for backbone in 0..count {
            if steps.rows.iter().any(|row| row.backbone == backbone) {
                graphs.steps[backbone] = Some(self.capture_step(backbone)?);
            }
        }
        Ok(graphs)
    }

    fn capture_step(&mut self, backbone: usize) -> Result<Graph, ExecutorError> {
        let Key { images, seed, guidance, scales } = self.key;
        let elements = self.loaded.device.image.elements();
        let mut body = self.loaded.device.body(backbone, images, Entries::Step)?;
        let before: Vec<Launch> = if scales { vec![launch::scale_image(elements, images)?] } else { vec![] };
        let mut after = Vec::new();
        if guidance == 0.0 {
            launch::finish(&mut body, seed, elements, images)?;
        } else {
            after.extend([launch::guide(guidance, elements, images)?, launch::update(seed, elements, images)?]);
        }
        for launches in [&before, &body, &after] {
            self.loaded.modules.prepare(launches)?;
        }
        let places = self.places(backbone);
        let unconditional = Places { output: places.unconditional, labels: self.state.nulls(), ..places.clone() };
        let loaded = &*self.loaded;
        let graph = Graph::capture(&loaded.context, || {
            loaded.launch(&before, backbone, &places)?;
            loaded.launch(&body, backbone, &places)?;
            if guidance != 0.0 {
                loaded.launch(&body, backbone, &unconditional)?;
            }
            loaded.launch(&after, backbone, &places)
        });
        Ok(graph?)
    }

    /// Draws x_T and writes what the first step reads.
    pub fn begin(&mut self, images: &[Request], labels: &[u32], nulls: &[u32], entry: u32) -> Result<(), ExecutorError> {
        let indices: Vec<u64> = images.iter().map(|image| image.index).collect();
        self.state.begin(labels, nulls, &indices, StepRecord::first(entry))?;
        let start = [launch::start(self.key.seed, self.loaded.device.image.elements(), images.len())?];
        self.loaded.modules.prepare(&start)?;
        let places = self.places(0);
        Ok(self.loaded.launch(&start, 0, &places)?)
    }

    /// Replays the graphs. The images are on their way to the host when all steps are in the stream; then it is waited for, once.
    pub fn run(
        &mut self,
        graphs: &Graphs,
        steps: &Steps,
        markers: &mut Markers,
        watch: &mut dyn FnMut(usize) -> ControlFlow<()>,
    ) -> Result<(), ExecutorError> {
        markers.clear();
        let stopped = self.replay(graphs, steps, markers, watch);
        if matches!(stopped, Ok(ControlFlow::Continue(()))) {
            let places = self.places(0);
            self.state.images.read(places.state, self.key.images * self.loaded.device.image.elements())?;
        }
        let stopped = stopped.and_then(|flow| if flow.is_continue() { markers.pass(0, watch) } else { Ok(flow) });
        // Also after a failure: the next call finds the stream empty.
        let waited = self.loaded.context.synchronize();
        match stopped? {
            ControlFlow::Break(done) => {
                waited?;
                Err(ExecutorError::Stopped { done })
            }
            ControlFlow::Continue(()) => Ok(waited?),
        }
    }

    fn replay(
        &self,
        graphs: &Graphs,
        steps: &Steps,
        markers: &mut Markers,
        watch: &mut dyn FnMut(usize) -> ControlFlow<()>,
    ) -> Result<ControlFlow<usize>, Fault> {
        self.stopwatch.map_or(Ok(()), Stopwatch::start)?;
        for (index, row) in steps.rows.iter().enumerate() {
            let graph = graphs.steps[row.backbone].as_ref().expect("invariant: every backbone of the rows was captured");
            graph.launch()?;
            let done = index + 1;
            if done.is_multiple_of(STEPS) && done < steps.rows.len() {
                let passed = markers.mark(done, watch)?;
                if passed.is_break() {
                    return Ok(passed);
                }
            }
        }
        self.stopwatch.map_or(Ok(()), Stopwatch::stop)?;
        Ok(ControlFlow::Continue(()))
    }
}

impl Graphs {
    /// Whether the graphs are those of a trajectory: nothing that they hold differs.
    pub fn serve(&self, key: Key, steps: &Steps) -> bool {
        self.key == key && steps.rows.iter().all(|row| self.steps[row.backbone].is_some())
    }
}
