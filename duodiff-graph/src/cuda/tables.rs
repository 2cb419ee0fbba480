//! What depends on the step alone, computed before the first step: sinusoids of the times, and the prelude's outputs.

use super::loaded::Loaded;
use super::memory::{Buffer, LINE};
use super::places::Places;
use super::weights::rounded;
use crate::executor::{ExecutorError, Fault};
use crate::launch::{DevicePlan, Element};
use crate::program::sinusoid;

/// Tables of one backbone with an entry for each of its steps.
pub(super) struct Tables {
    backbone: usize,
    /// One piece: sinusoids as float32, as bfloat16, then each table.
    buffer: Buffer,
    /// Entries that there is room for.
    room: usize,
    /// What the entries are of.
    times: Vec<f32>,
}

/// Bytes of each part for so many entries: sinusoids as float32, as bfloat16, then each table.
fn parts(device: &DevicePlan, backbone: usize, entries: usize) -> Vec<u64> {
    let net = &device.backbones[backbone];
    let tokens = device.precision.element();
    let rounded = if tokens == Element::Bf16 { net.sinusoid() } else { 0 };
    let sinusoids = [(net.sinusoid(), Element::F32), (rounded, Element::Bf16)];
    let tables = net.tables().into_iter().map(|elements| (elements, tokens));
    let bytes = |(elements, element): (usize, Element)| ((elements * entries * element.bytes()) as u64).next_multiple_of(LINE);
    sinusoids.into_iter().chain(tables).map(bytes).collect()
}

/// Bytes of the tables of a backbone for so many steps.
pub(super) fn bytes(device: &DevicePlan, backbone: usize, entries: usize) -> u64 {
    parts(device, backbone, entries).iter().sum()
}

impl Tables {
    /// Tables without entries.
    pub fn new(loaded: &Loaded, backbone: usize) -> Result<Self, Fault> {
        Ok(Self { backbone, buffer: Buffer::new(&loaded.context, 0)?, room: 0, times: Vec::new() })
    }

    /// Makes entry i that of `times[i]`. Returns whether the tables moved.
    pub fn fill(&mut self, loaded: &mut Loaded, times: &[f32]) -> Result<bool, ExecutorError> {
        if self.times == times {
            return Ok(false);
        }
        // Not valid before all of them are computed.
        self.times.clear();
        let moves = times.len() > self.room;
        if moves {
            let bytes = bytes(&loaded.device, self.backbone, times.len());
            (self.room, self.buffer) = (0, Buffer::new(&loaded.context, 0)?);
            self.buffer = Buffer::new(&loaded.context, bytes as usize)?;
            self.room = times.len();
        }
        self.write_sinusoids(loaded, times)?;
        self.run_prelude(loaded, times.len())?;
        self.times = times.to_vec();
        Ok(moves)
    }

    /// Where the tables start.
    pub fn locate(&self, device: &DevicePlan, places: &mut Places) {
        let mut at = self.buffer.address;
        let mut starts = parts(device, self.backbone, self.room).into_iter().map(|bytes| {
            at += bytes;
            at - bytes
        });
        places.sinusoid = starts.next().unwrap_or_default();
        places.sinusoid_bf16 = starts.next().unwrap_or_default();
        places.tables = starts.collect();
    }

    fn write_sinusoids(&self, loaded: &Loaded, times: &[f32]) -> Result<(), ExecutorError> {
        let width = loaded.device.backbones[self.backbone].sinusoid();
        if width == 0 {
            return Ok(());
        }
        let mut sinusoids = vec![0.0; times.len() * width];
        for (time, out) in times.iter().zip(sinusoids.chunks_exact_mut(width)) {
            sinusoid(*time, out);
        }
        self.buffer.write(0, &sinusoids)?;
        if loaded.device.precision.element() == Element::Bf16 {
            let start = parts(&loaded.device, self.backbone, self.room)[0];
            self.buffer.write(start as usize, &rounded(&sinusoids))?;
        }
        Ok(())
    }

    /// Runs the prelude for as many steps at a time as the arena takes.
    fn run_prelude(&self, loaded: &mut Loaded, entries: usize) -> Result<(), ExecutorError> {
        let net = &loaded.device.backbones[self.backbone];
        let (width, tables, tokens) = (net.sinusoid(), net.tables(), loaded.device.precision.element());
        let chunk = loaded.device.chunk(self.backbone, loaded.arena.bytes);
        let mut places = Places { arena: loaded.arena.address, ..Places::default() };
        for first in (0..entries).step_by(chunk) {
            let launches = loaded.device.prelude(self.backbone, chunk.min(entries - first))?;
            loaded.modules.prepare(&launches)?;
            self.locate(&loaded.device, &mut places);
            places.sinusoid += (first * width * Element::F32.bytes()) as u64;
            for (place, elements) in places.tables.iter_mut().zip(&tables) {
                *place += (first * elements * tokens.bytes()) as u64;
            }
            loaded.launch(&launches, self.backbone, &places)?;
        }
        Ok(())
    }
}
