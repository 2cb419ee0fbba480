//! Memory that starts on a cache line, zeroed: the arena, packed weights, tables, state and scratch.

use bytemuck::{Pod, Zeroable};

/// Floats of one cache line, and lanes of one virtual vector.
pub(super) const LINE: usize = 16;

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C, align(64))]
struct Line([f32; LINE]);

/// Floats on whole cache lines.
#[derive(Clone)]
pub(super) struct Buffer {
    lines: Vec<Line>,
    length: usize,
}

impl Buffer {
    /// `length` zeros.
    pub fn zeroed(length: usize) -> Self {
        Self { lines: vec![Line::zeroed(); length.div_ceil(LINE)], length }
    }

    /// A copy of `data`.
    pub fn of(data: &[f32]) -> Self {
        let mut buffer = Self::zeroed(data.len());
        buffer.floats_mut().copy_from_slice(data);
        buffer
    }

    /// Bytes that a buffer of `length` floats holds.
    pub fn bytes(length: usize) -> u64 {
        (length.div_ceil(LINE) * size_of::<Line>()) as u64
    }

    /// The floats.
    pub fn floats(&self) -> &[f32] {
        &bytemuck::cast_slice(&self.lines)[..self.length]
    }

    /// The floats, to write.
    pub fn floats_mut(&mut self) -> &mut [f32] {
        &mut bytemuck::cast_slice_mut(&mut self.lines)[..self.length]
    }
}
