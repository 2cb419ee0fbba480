//! The records that kernels take, and windows of larger values.

use std::ptr::{null, null_mut};

use super::buffer::{Buffer, Element};

/// `Window` of kernels/types.cuh.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Window {
    pub base: *const u8,
    pub image: u64,
    pub stride: u32,
    pub rows: u32,
    pub columns: u32,
    pub step: u32,
}

/// `Step` of kernels/types.cuh.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    pub row: u32,
    pub entry: u32,
    pub ticket: u32,
    pub reserved: u32,
}

impl Window {
    /// No window.
    pub const NONE: Self = Self { base: null(), image: 0, stride: 0, rows: 0, columns: 0, step: 0 };
}

/// No step.
pub const NO_STEP: *mut Step = null_mut();

/// `[images, rows, columns]` of noise inside a larger value of NaN.
pub struct Tokens<E> {
    buffer: Buffer<E>,
    pub images: usize,
    pub rows: usize,
    pub columns: usize,
    /// Of the larger value: elements per row, rows per image, and the first row and column that are ours.
    stride: usize,
    height: usize,
    first: [usize; 2],
}

impl<E: Element> Tokens<E> {
    /// Rows start at a multiple of 16 bytes.
    pub fn aligned(seed: u64, [images, rows, columns]: [usize; 3]) -> Self {
        let stride = columns.next_multiple_of(E::CHUNK) + E::CHUNK;
        Self::inside(seed, [images, rows, columns], stride, rows + 2, [1, E::CHUNK])
    }

    /// Rows start anywhere.
    pub fn ragged(seed: u64, [images, rows, columns]: [usize; 3]) -> Self {
        Self::inside(seed, [images, rows, columns], columns + 3, rows + 1, [0, 1])
    }

    fn inside(seed: u64, [images, rows, columns]: [usize; 3], stride: usize, height: usize, first: [usize; 2]) -> Self {
        let noise = Buffer::<E>::normal(seed, images * rows * columns);
        let mut buffer = Buffer::poisoned(images * height * stride);
        for (index, noise) in noise.elements().chunks(columns.max(1)).enumerate() {
            let at = (index / rows * height + first[0] + index % rows) * stride + first[1];
            buffer.elements_mut()[at..at + columns].copy_from_slice(noise);
        }
        Self { buffer, images, rows, columns, stride, height, first }
    }

    /// Every row scaled and shifted.
    pub fn map(mut self, f: impl Fn(f64) -> f64) -> Self {
        self.buffer.elements_mut().iter_mut().for_each(|x| *x = E::rounded(f(x.value())));
        self
    }

    pub fn total(&self) -> usize {
        self.images * self.rows
    }

    pub fn window(&self) -> Window {
        let offset = self.first[0] * self.stride + self.first[1];
        Window {
            base: self.buffer.pointer().wrapping_add(offset).cast(),
            image: (self.height * self.stride) as u64,
            stride: self.stride as u32,
            rows: self.rows as u32,
            columns: self.columns as u32,
            step: 0,
        }
    }

    /// The window from image `image` on.
    pub fn window_from(&self, image: usize) -> Window {
        let elements = image * self.height * self.stride;
        let window = self.window();
        Window { base: window.base.wrapping_add(elements * size_of::<E>()), ..window }
    }

    /// The window as a table: image i is entry i, the same for all images.
    pub fn table(&self) -> Window {
        Window { image: 0, step: (self.height * self.stride) as u32, ..self.window() }
    }

    /// Row `r`, counted over the batch.
    pub fn row(&self, r: usize) -> Vec<f64> {
        let at = (r / self.rows * self.height + self.first[0] + r % self.rows) * self.stride + self.first[1];
        self.buffer.elements()[at..at + self.columns].iter().map(|x| x.value()).collect()
    }

    /// All rows.
    pub fn values(&self) -> Vec<f64> {
        (0..self.total()).flat_map(|r| self.row(r)).collect()
    }
}
