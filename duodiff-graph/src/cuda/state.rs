//! What a trajectory keeps on the GPU from step to step, in one piece of memory, and the images when it is over.

use std::sync::Arc;

use super::arguments::StepRecord;
use super::context::Context;
use super::memory::{Buffer, LINE, Pinned};
use super::places::Places;
use crate::executor::Fault;
use crate::process::HISTORY;

/// State for a batch; smaller batches use the start of each part.
pub(super) struct State {
    buffer: Buffer,
    /// Where each part starts.
    starts: [usize; Part::COUNT],
    /// The images of the host.
    pub images: Pinned<f32>,
    elements: usize,
}

/// A part of the memory.
#[derive(Clone, Copy)]
enum Part {
    /// What becomes the images.
    State,
    /// The state as the network is fed it, where that is scaled.
    Fed,
    Output,
    /// The output for the null label.
    Unconditional,
    /// A state that some row keeps for later ones.
    Saved,
    History,
    Labels,
    /// A null label for each image.
    Nulls,
    /// Global indices of the images.
    Indices,
    /// Which row is next.
    Step,
}

impl Part {
    const ALL: [Self; 10] = [
        Self::State,
        Self::Fed,
        Self::Output,
        Self::Unconditional,
        Self::Saved,
        Self::History,
        Self::Labels,
        Self::Nulls,
        Self::Indices,
        Self::Step,
    ];

    const COUNT: usize = Self::ALL.len();

    /// Its bytes for `batch` images of `elements` floats, rounded up to where the next part may start.
    fn bytes(self, elements: usize, batch: usize) -> usize {
        let image = size_of::<f32>() * elements * batch;
        let bytes = match self {
            Self::State | Self::Fed | Self::Output | Self::Unconditional | Self::Saved => image,
            Self::History => HISTORY * image,
            Self::Labels | Self::Nulls => size_of::<u32>() * batch,
            Self::Indices => size_of::<u64>() * batch,
            Self::Step => size_of::<StepRecord>(),
        };
        bytes.next_multiple_of(LINE as usize)
    }
}

impl State {
    /// Bytes on the GPU for `batch` images of `elements` floats.
    pub fn bytes(elements: usize, batch: usize) -> u64 {
        Part::ALL.map(|part| part.bytes(elements, batch)).iter().sum::<usize>() as u64
    }

    /// State for `batch` images of `elements` floats.
    pub fn new(context: &Arc<Context>, elements: usize, batch: usize) -> Result<Self, Fault> {
        let mut at = 0;
        let starts = Part::ALL.map(|part| {
            at += part.bytes(elements, batch);
            at - part.bytes(elements, batch)
        });
        Ok(Self { buffer: Buffer::new(context, at)?, starts, images: Pinned::new(context, elements * batch)?, elements })
    }

    fn start(&self, part: Part) -> usize {
        self.starts[part as usize]
    }

    fn address(&self, part: Part) -> u64 {
        self.buffer.address + self.start(part) as u64
    }

    /// Where everything lies for the conditional evaluation; the network is fed the state itself.
    pub fn locate(&self, places: &mut Places) {
        places.state = self.address(Part::State);
        places.image = places.state;
        places.output = self.address(Part::Output);
        places.unconditional = self.address(Part::Unconditional);
        places.saved = self.address(Part::Saved);
        places.history = self.address(Part::History);
        places.labels = self.address(Part::Labels);
        places.indices = self.address(Part::Indices);
        places.step = self.address(Part::Step);
    }

    /// Where the scaled state lies.
    pub fn fed(&self) -> u64 {
        self.address(Part::Fed)
    }

    /// Where the null labels lie.
    pub fn nulls(&self) -> u64 {
        self.address(Part::Nulls)
    }

    /// Writes what a trajectory of these images begins with: labels, null labels, indices, step, and nothing but zeros to look back on.
    pub fn begin(&self, labels: &[u32], nulls: &[u32], indices: &[u64], step: StepRecord) -> Result<(), Fault> {
        self.buffer.write(self.start(Part::Labels), labels)?;
        self.buffer.write(self.start(Part::Nulls), nulls)?;
        self.buffer.write(self.start(Part::Indices), indices)?;
        self.buffer.write(self.start(Part::Step), &[step])?;
        let image = size_of::<f32>() * self.elements * indices.len();
        self.buffer.clear(self.start(Part::Saved), image)?;
        self.buffer.clear(self.start(Part::History), HISTORY * image)
    }

    /// Writes what a single evaluation begins with.
    pub fn feed(&self, x: &[f32], labels: &[u32]) -> Result<(), Fault> {
        self.buffer.write(self.start(Part::State), x)?;
        self.buffer.write(self.start(Part::Labels), labels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_stand_in_the_order_of_their_numbers() {
        assert!(Part::ALL.iter().enumerate().all(|(index, part)| *part as usize == index));
        // Five images, a history, labels, nulls and indices, a step, each on a line of its own.
        assert_eq!(State::bytes(64, 2), (5 + HISTORY as u64) * 512 + 4 * LINE);
    }
}
