//! The choice among kernels that compute the same: products and attention.
//!
//! Which module a kernel is of follows from shapes and precision alone, so neither a plan's modules nor its bits depend on the batch.
//! Tiles and grids, which change no bit, follow from the work and the GPU.

use super::entry::Shape;
use super::{Element, Gpu, Kernel, LaunchError, Module, Precision, Window};
use crate::program::Activation;

/// A product: `[m, k] · [n, k]ᵀ`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Product<'a> {
    pub m: u32,
    pub n: u32,
    pub k: u32,
    pub sources: [&'a Window; 2],
    pub activation: Option<Activation>,
}

/// Attention of one head after the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heads<'a> {
    pub images: u32,
    pub heads: u32,
    pub width: u32,
    /// Queries, keys and values.
    pub windows: [&'a Window; 3],
}

/// Rows and columns of the tiles of the kernels for any shape, and bytes of shared memory of their blocks.
const TILE: (u64, u32) = (64, 8704);

/// Queries of a block of the kernel for any attention.
const QUERIES: u32 = 32;

/// Columns of the widest head.
pub(super) const WIDEST: u32 = 256;

/// Bytes that tensor-core kernels read at a time, on addresses that they divide.
const CHUNK: u64 = 16;

/// Tiles on tensor cores: rows, columns, and how many slices of k are in shared memory at a time.
const STAGES: [(u32, u32, u32); 4] = [(128, 128, 3), (128, 64, 4), (64, 64, 4), (32, 32, 6)];

/// Bytes of a slice per row and column of a tile.
const SLICE: u32 = 128;

/// Bytes that say where a row lies, and what it is shifted and scaled by.
const ROW: u32 = 16 + 8;

/// Widths of heads on tensor cores, and bytes from key to key.
const WIDTHS: [(u32, u32); 3] = [(32, 80), (64, 144), (72, 144)];

/// Most keys that are kept whole.
const KEYS: u32 = 304;

/// Threads of a block of tensor-core kernels.
const MMA_THREADS: u32 = 128;

/// Queries of a warp and warps of a block of attention on tensor cores.
const MMA_QUERIES: (u32, u32) = (16, 4);

/// Whether every row of a window starts on an address that a chunk divides.
fn is_aligned(window: &Window, element: Element) -> bool {
    let Some(base) = &window.base else { return true };
    let distances = [window.image, window.stride.into(), window.step.into()];
    base.offset.is_multiple_of(CHUNK) && distances.iter().all(|distance| (distance * element.bytes() as u64).is_multiple_of(CHUNK))
}

/// Bytes of shared memory that a tile on tensor cores takes.
fn mma_shared(rows: u32, columns: u32) -> u32 {
    let tile = STAGES.into_iter().find(|tile| (tile.0, tile.1) == (rows, columns));
    let (_, _, stages) = tile.expect("invariant: a GPU's tiles are those of the kernels");
    stages * (rows + columns) * SLICE + rows * ROW
}

impl Product<'_> {
    /// The kernel for a product that is not computed on warpgroups.
    pub fn choose(self, precision: Precision, gpu: Gpu) -> Result<(Kernel, Shape), LaunchError> {
        if self.takes_mma(precision) { self.mma(precision, gpu) } else { self.generic(precision.element()) }
    }

    /// Whether tensor cores can read its operands.
    pub fn takes_mma(self, precision: Precision) -> bool {
        let element = precision.element();
        let chunk = CHUNK as u32 / element.bytes() as u32;
        let sources = self.sources.iter().all(|source| is_aligned(source, element) && source.columns.is_multiple_of(chunk));
        precision != Precision::F32 && self.k.is_multiple_of(8) && sources
    }

    /// Its activation, as kernels end in.
    pub fn activation(self) -> &'static str {
        Activation::name_of(self.activation)
    }

    /// Blocks of a grid of tiles.
    pub fn blocks(self, rows: u32, columns: u32) -> u64 {
        u64::from(self.m.div_ceil(rows)) * u64::from(self.n.div_ceil(columns))
    }

    fn generic(self, element: Element) -> Result<(Kernel, Shape), LaunchError> {
        let (tile, shared) = TILE;
        let kernel = Kernel::new(Module::Linear(element), format!("linear_{element}_{}", self.activation()));
        Ok((kernel, Shape::new([self.blocks(tile as u32, tile as u32), 1, 1], 256, shared)?))
    }

    /// The tile whose share for the busiest processor takes the shortest.
    pub fn tile(self, tiles: &[(u32, u32, u32)], gpu: Gpu) -> (u32, u32) {
        let time = |&&(rows, columns, rate): &&(u32, u32, u32)| {
            let tiles = self.blocks(rows, columns).div_ceil(gpu.processors.into());
            tiles * u64::from(rows * columns) * 1000 / u64::from(rate)
        };
        let (rows, columns, _) = tiles.iter().min_by_key(time).expect("invariant: there are tiles");
        (*rows, *columns)
    }

    fn mma(self, precision: Precision, gpu: Gpu) -> Result<(Kernel, Shape), LaunchError> {
        let (rows, columns) = self.tile(&gpu.tiles, gpu);
        let entry = format!("linear_mma_{precision}_{rows}x{columns}_{}", self.activation());
        let shape = Shape::new([self.blocks(rows, columns), 1, 1], MMA_THREADS, mma_shared(rows, columns))?;
        Ok((Kernel::new(Module::LinearMma(precision.element(), self.activation), entry), shape))
    }
}

impl Heads<'_> {
    /// The kernel for attention.
    pub fn choose(self, precision: Precision, gpu: Gpu) -> Result<(Kernel, Shape), LaunchError> {
        match self.mma_shared() {
            Some(shared) if precision == Precision::Bf16 && shared <= gpu.shared => self.mma(shared, gpu),
            _ => self.generic(precision.element()),
        }
    }

    fn queries(self) -> u32 {
        self.windows[0].rows
    }

    /// Bytes of shared memory that attention on tensor cores takes, if it takes these heads.
    fn mma_shared(self) -> Option<u32> {
        let (_, pitch) = WIDTHS.into_iter().find(|(width, _)| *width == self.width)?;
        let keys = self.windows[1].rows;
        let fits = keys <= KEYS && self.windows.iter().all(|window| is_aligned(window, Element::Bf16));
        fits.then(|| 2 * keys.next_multiple_of(16) * pitch)
    }

    /// Heads are cut into blocks of queries where there are too few of them to go round.
    fn mma(self, shared: u32, gpu: Gpu) -> Result<(Kernel, Shape), LaunchError> {
        let heads = u64::from(self.images) * u64::from(self.heads);
        let most = self.queries().div_ceil(MMA_QUERIES.0).div_ceil(MMA_QUERIES.1).max(1);
        let wanted = (2 * u64::from(gpu.processors)).div_ceil(heads.max(1));
        let kernel = Kernel::new(Module::AttentionMma, format!("attention_mma_bf16_{}", self.width));
        Ok((kernel, Shape::new([heads, wanted.clamp(1, most.into()), 1], MMA_THREADS, shared)?))
    }

    fn generic(self, element: Element) -> Result<(Kernel, Shape), LaunchError> {
        let blocks = [u64::from(self.images) * u64::from(self.heads), self.queries().div_ceil(QUERIES).into(), 1];
        // Queries, keys and values; the last two lie an odd number of floats apart.
        let shared = size_of::<f32>() as u32 * QUERIES * (self.width + 2 * (self.width | 1));
        Ok((Kernel::new(Module::Attention(element), format!("attention_{element}")), Shape::new(blocks, 256, shared)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::launch::{Address, Region};
    use crate::target::Sm;

    fn window(rows: u32, columns: u32, offset: u64) -> Window {
        let base = Some(Address { region: Region::Arena, offset });
        Window { base, image: u64::from(rows) * 1536, stride: 1536, rows, columns, step: 0 }
    }

    fn product(m: u32, n: u32, source: &Window, precision: Precision) -> (String, u64) {
        let product = Product { m, n, k: source.columns, sources: [source, &Window::ABSENT], activation: None };
        let (kernel, shape) = product.choose(precision, Gpu::of(Sm::Sm90a)).unwrap();
        (kernel.entry, shape.grid[0].into())
    }

    #[test]
    fn tiles_follow_the_work() {
        let source = window(257, 512, 0);
        let tile = |m, n| product(m, n, &source, Precision::Bf16);
        assert_eq!(tile(128 * 257, 1536), ("linear_mma_bf16_128x128_none".into(), 257 * 12));
        let small = tile(257, 512).0;
        assert!(small.contains("_32x32_") || small.contains("_64x64_"), "{small}");
        assert_eq!(product(257, 512, &source, Precision::Tf32).0, small.replace("bf16", "tf32"));
        assert_eq!(product(257, 512, &source, Precision::F32), ("linear_f32_none".into(), 5 * 8));
    }

    #[test]
    fn tiles_fit_every_gpu() {
        for gpu in crate::target::Target::ALL.into_iter().filter_map(crate::target::Target::gpu).map(Gpu::of) {
            assert!(gpu.tiles.into_iter().all(|(rows, columns, _)| mma_shared(rows, columns) <= gpu.shared), "{gpu:?}");
        }
        assert_eq!(mma_shared(128, 128), 3 * 256 * 128 + 128 * 24);
    }

    #[test]
    fn what_tensor_cores_cannot_read_goes_elsewhere() {
        assert!(product(257, 512, &window(257, 512, 16), Precision::Bf16).0.starts_with("linear_mma"));
        assert_eq!(product(257, 512, &window(257, 512, 8), Precision::Bf16).0, "linear_bf16_none");
        assert_eq!(product(257, 512, &window(257, 36, 0), Precision::Bf16).0, "linear_bf16_none");
        let ragged = Window { stride: 1537, ..window(257, 512, 0) };
        assert_eq!(product(257, 512, &ragged, Precision::Bf16).0, "linear_bf16_none");
    }

    fn heads(width: u32, keys: u32, images: u32, target: Sm) -> (String, [u32; 3], u32) {
        let [q, k] = [257, keys].map(|rows| window(rows, 8 * width, 0));
        let heads = Heads { images, heads: 8, width, windows: [&q, &k, &k] };
        let (kernel, shape) = heads.choose(Precision::Bf16, Gpu::of(target)).unwrap();
        (kernel.entry, shape.grid, shape.shared)
    }

    #[test]
    fn attention_follows_width_and_keys() {
        assert_eq!(heads(64, 257, 128, Sm::Sm90), ("attention_mma_bf16_64".into(), [1024, 1, 1], 2 * 272 * 144));
        assert_eq!(heads(64, 257, 1, Sm::Sm90), ("attention_mma_bf16_64".into(), [8, 5, 1], 2 * 272 * 144));
        assert_eq!(heads(48, 257, 1, Sm::Sm90), ("attention_bf16".into(), [8, 9, 1], 4 * 32 * (48 + 2 * 49)));
        assert_eq!(heads(64, 305, 1, Sm::Sm90).0, "attention_bf16");
        assert_eq!(heads(72, 304, 1, Sm::Sm90).0, "attention_mma_bf16_72");
        assert_eq!(heads(72, 304, 1, Sm::Sm86), ("attention_mma_bf16_72".into(), [8, 5, 1], 2 * 304 * 144));
    }
}
