//! Grids and blocks of the kernels whose work is a list of rows or elements, as their files in `duodiff-graph/kernels` state them.

use super::{Element, LaunchError};

/// Threads of a block.
const THREADS: u32 = 256;

/// Threads of a warp.
const WARP: u32 = 32;

/// Bytes that a thread reads at a time.
const CHUNK: u64 = 16;

/// Most blocks along x.
const BLOCKS: u64 = i32::MAX as u64;

/// Most blocks along y or z.
const LINES: u64 = u16::MAX as u64;

/// How a kernel is laid over the GPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    /// Blocks along x, y and z.
    pub grid: [u32; 3],
    /// Threads of a block.
    pub block: u32,
    /// Bytes of dynamic shared memory of a block.
    pub shared: u32,
}

impl Shape {
    /// Blocks of `block` threads without shared memory; refuses grids that no GPU takes.
    pub fn new(grid: [u64; 3], block: u32, shared: u32) -> Result<Self, LaunchError> {
        for (found, most) in grid.into_iter().zip([BLOCKS, LINES, LINES]) {
            if found > most {
                return Err(LaunchError::Large { what: "a grid", found, most });
            }
        }
        Ok(Self { grid: grid.map(|blocks| blocks.max(1) as u32), block, shared })
    }
}

/// A thread to each of `count`.
pub(super) fn threads(count: u64) -> Result<Shape, LaunchError> {
    Shape::new([count.div_ceil(THREADS.into()), 1, 1], THREADS, 0)
}

/// A warp to each row.
pub(super) fn warps(rows: u32) -> Result<Shape, LaunchError> {
    threads(u64::from(rows) * u64::from(WARP))
}

/// A thread to each chunk of each row.
pub(super) fn chunks(rows: u64, columns: u64, element: Element) -> Result<Shape, LaunchError> {
    threads(rows.saturating_mul(columns.div_ceil(CHUNK / element.bytes() as u64)))
}

/// A thread to each four elements of an image.
pub(super) fn quads(elements: u64, images: u64) -> Result<Shape, LaunchError> {
    Shape::new([elements.div_ceil(4).div_ceil(THREADS.into()), images, 1], THREADS, 0)
}
