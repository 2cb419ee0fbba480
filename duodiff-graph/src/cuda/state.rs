//! What a trajectory keeps on the GPU from step to step, in one piece of memory, and the images when it is over.

use super::context::Context;
use super::memory::{Buffer, LINE, Pinned};
use super::places::Places;
use crate::executor::Fault;
use crate::process::HISTORY;
use std::sync::Arc;

/// State for a batch; smaller batches use the start of each part.
pub(super) struct State {
    buffer: Buffer,
    /// Where each part starts.
    starts: [usize; PARTS],
    /// The images of the host.
    pub images: Pinned<f32>,
    elements: usize,
}

/// State, what the network is fed, output, unconditional output, saved state, history, labels, null labels, indices, step.
const PARTS: usize = 10;

fn parts(elements: usize, batch: usize) -> [usize; PARTS] {
    let image = 4 * elements * batch;
    let parts = [image, image, image, image, image, HISTORY * image, 4 * batch, 4 * batch, 8 * batch, 16];
    parts.map(|bytes| bytes.next_multiple_of(LINE as usize))
}

impl State {
    /// Bytes on the GPU for `batch` images of `elements` floats.
    pub fn bytes(elements: usize, batch: usize) -> u64 {
        parts(elements, batch).iter().sum::<usize>() as u64
    }

    /// State for `batch` images of `elements` floats.
    pub fn new(context: &Arc<Context>, elements: usize, batch: usize) -> Result<Self, Fault> {
        let mut at = 0;
        let starts = parts(elements, batch).map(|bytes| {
            at += bytes;
            at - bytes
        });
        Ok(Self { buffer: Buffer::new(context, at)?, starts, images: Pinned::new(context, elements * batch)?, elements })
    }

    fn start(&self, part: usize) -> u64 {
        self.buffer.address + self.starts[part] as u64
    }

    /// Where everything lies for the conditional evaluation; the network is fed the state itself.
    pub fn locate(&self, places: &mut Places) {
        places.state = self.start(0);
        places.image = places.state;
        places.output = self.start(2);
        places.unconditional = self.start(3);
        places.saved = self.start(4);
        places.history = self.start(5);
        places.labels = self.start(6);
        places.indices = self.start(8);
        places.step = self.start(9);
    }

    /// Where the scaled state lies.
    pub fn fed(&self) -> u64 {
        self.start(1)
    }

    /// Where the null labels lie.
    pub fn nulls(&self) -> u64 {
        self.start(7)
    }

    /// Writes what a trajectory of these images begins with: labels, null labels, indices, step, and a history of zeros.
    pub fn begin(&self, labels: &[u32], nulls: &[u32], indices: &[u64], step: super::arguments::StepRecord) -> Result<(), Fault> {
        self.buffer.write(self.starts[6], labels)?;
        self.buffer.write(self.starts[7], nulls)?;
        self.buffer.write(self.starts[8], indices)?;
        self.buffer.write(self.starts[9], &[step])?;
        let image = 4 * self.elements * indices.len();
        self.buffer.clear(self.starts[4], image)?;
        self.buffer.clear(self.starts[5], HISTORY * image)
    }

    /// Writes what a single evaluation begins with.
    pub fn feed(&self, x: &[f32], labels: &[u32]) -> Result<(), Fault> {
        self.buffer.write(self.starts[0], x)?;
        self.buffer.write(self.starts[6], labels)
    }
}
