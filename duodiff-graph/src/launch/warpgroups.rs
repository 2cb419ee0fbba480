//! Products on the warpgroups of [`Sm::Sm90a`](crate::target::Sm::Sm90a): when they are chosen, and how they are laid over the GPU.

use super::entry::Shape;
use super::products::Product;
use super::{Address, Argument, Element, Gpu, Kernel, LaunchError, Module, Precision, Region, Tensor, Window};

/// A tile of `kernels/linear_wgmma.cu`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WarpgroupTile {
    /// Rows.
    pub rows: u32,
    /// Columns.
    pub columns: u32,
    /// Slices of k that are in shared memory at a time.
    stages: u32,
    /// Warpgroups of a block.
    warpgroups: u32,
    /// Whether each has a tile of its own.
    is_in_turn: bool,
}

impl WarpgroupTile {
    /// Every tile.
    pub const ALL: [Self; 3] = [
        Self { rows: 128, columns: 256, stages: 4, warpgroups: 2, is_in_turn: false },
        Self { rows: 128, columns: 128, stages: 6, warpgroups: 2, is_in_turn: true },
        Self { rows: 64, columns: 64, stages: 6, warpgroups: 1, is_in_turn: false },
    ];

    /// Threads of a block.
    pub const fn threads(self) -> u32 {
        self.warpgroups * WARPGROUP + WARP
    }

    /// Bytes of shared memory of a block.
    pub const fn shared(self) -> u32 {
        let turns = if self.is_in_turn { self.warpgroups * TURN } else { 0 };
        self.stages * ((self.rows + self.columns) * SLICE + BARRIERS) + self.warpgroups * EXCHANGE + turns
    }

    /// The name of its kernel with an activation.
    pub fn entry(self, activation: &str) -> String {
        format!("linear_wgmma_bf16_{}x{}_{activation}", self.rows, self.columns)
    }
}

/// Threads of a warpgroup, and of the warp that brings slices.
const WARPGROUP: u32 = 128;
const WARP: u32 = 32;

/// Bytes of a slice per row and column of a tile, of a stage's two barriers, and of what a warpgroup exchanges its sums in.
const SLICE: u32 = 128;
const BARRIERS: u32 = 16;
const EXCHANGE: u32 = 10240;

/// Bytes of the barrier at which a warpgroup waits for its turn.
const TURN: u32 = 8;

/// Fewest columns. The choice may not depend on the rows: other tensor cores may add in another order.
const NARROWEST: u32 = 64;

/// A kernel, its grid and its tile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Choice {
    pub kernel: Kernel,
    pub shape: Shape,
    tile: WarpgroupTile,
}

/// The kernel for a product, if it is for warpgroups.
pub(super) fn choose(product: Product, precision: Precision, gpu: Gpu) -> Result<Option<Choice>, LaunchError> {
    let fits = product.n >= NARROWEST && product.takes_mma(precision) && product.sources.into_iter().all(is_copied);
    let Some(tiles) = gpu.warpgroup_tiles.filter(|_| precision == Precision::Bf16 && fits) else { return Ok(None) };
    let (rows, columns) = product.tile(&tiles, gpu);
    let tile = WarpgroupTile::ALL.into_iter().find(|tile| (tile.rows, tile.columns) == (rows, columns));
    let tile = tile.expect("invariant: a GPU's tiles are those of the kernels");
    // No more blocks than are resident at a time: each takes tiles one after the other.
    let resident = u64::from(gpu.processors * (gpu.shared / tile.shared()));
    let shape = Shape::new([product.blocks(rows, columns).min(resident), 1, 1], tile.threads(), tile.shared())?;
    Ok(Some(Choice { kernel: Kernel::new(Module::LinearWgmma(product.activation), tile.entry(product.activation())), shape, tile }))
}

/// Whether the copy engine can bring a window: not a table of steps, whose entry the device alone knows, nor rows that stand for others.
fn is_copied(window: &Window) -> bool {
    let Some(base) = &window.base else { return true };
    let is_table = matches!(base.region, Region::Table(_) | Region::Sinusoid(_));
    !is_table && window.stride >= window.columns && window.image >= u64::from(window.rows) * u64::from(window.stride)
}

impl Choice {
    /// The kernel's arguments for both sources and the weight.
    pub fn operands(&self, product: Product, weight: Address) -> [Argument; 3] {
        let source = |window: &Window| match window.base {
            Some(_) => Tensor::of(window, Element::Bf16, product.m, self.tile.rows),
            None => Tensor::ABSENT,
        };
        let [first, second] = product.sources.map(source);
        [first, second, Tensor::dense(weight, Element::Bf16, [product.n, product.k], self.tile.columns)].map(Argument::Tensor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::launch::WARPGROUP_TILES;
    use crate::target::Sm;

    fn window(rows: u32, columns: u32) -> Window {
        let base = Some(Address { region: Region::Arena, offset: 0 });
        Window { base, image: 257 * 1536, stride: 1536, rows, columns, step: 0 }
    }

    fn choice(sources: [&Window; 2], m: u32, n: u32, precision: Precision) -> Option<Choice> {
        let gpu = Gpu { warpgroup_tiles: Some(WARPGROUP_TILES), ..Gpu::of(Sm::Sm90a) };
        let k = sources.map(|source| source.columns).iter().sum();
        choose(Product { m, n, k, sources, activation: None }, precision, gpu).unwrap()
    }

    #[test]
    fn the_table_alone_chooses_them() {
        let source = window(257, 512);
        let product = Product { m: 257, n: 512, k: 512, sources: [&source, &Window::ABSENT], activation: None };
        let gpu = Gpu::of(Sm::Sm90a);
        assert!(gpu.warpgroup_tiles.is_none());
        assert_eq!(choose(product, Precision::Bf16, gpu), Ok(None));
    }

    #[test]
    fn tiles_follow_the_work() {
        let source = window(257, 512);
        let shape = |m, n| {
            let Choice { kernel, shape, .. } = choice([&source, &Window::ABSENT], m, n, Precision::Bf16).unwrap();
            (kernel.entry, shape.grid[0], shape.block, shape.shared)
        };
        assert_eq!(shape(128 * 257, 1536), ("linear_wgmma_bf16_128x256_none".into(), 132, 288, 4 * (384 * 128 + 16) + 2 * 10240));
        assert_eq!(shape(257, 512), ("linear_wgmma_bf16_64x64_none".into(), 40, 160, 6 * (128 * 128 + 16) + 10240));
        assert_eq!(WarpgroupTile::ALL.map(WarpgroupTile::shared), [217_152, 217_200, 108_640]);
        let named = WarpgroupTile::ALL.map(|tile| (tile.rows, tile.columns));
        assert_eq!(WARPGROUP_TILES.map(|(rows, columns, _)| (rows, columns)), named);
    }

    #[test]
    fn what_the_copy_engine_cannot_bring_goes_elsewhere() {
        let source = window(257, 512);
        let is_chosen = |sources: [&Window; 2], m, n, precision| choice(sources, m, n, precision).is_some();
        assert!(!is_chosen([&source, &Window::ABSENT], 257, 512, Precision::Tf32));
        // Columns decide, rows do not.
        assert!([1, 257, 1 << 20].into_iter().all(|m| is_chosen([&source, &Window::ABSENT], m, 64, Precision::Bf16)));
        assert!([1, 257, 1 << 20].into_iter().all(|m| !is_chosen([&source, &Window::ABSENT], m, 56, Precision::Bf16)));
        let table = Window { base: Some(Address::of(Region::Table(0))), ..source.clone() };
        let [one, shared] = [Window { stride: 0, ..source.clone() }, Window { image: 0, ..source.clone() }];
        for other in [table, one, shared] {
            assert!(!is_chosen([&source, &other], 257, 512, Precision::Bf16), "{other}");
        }
    }

    #[test]
    fn operands_are_tensors() {
        let (source, skip) = (window(256, 512), window(256, 128));
        let sources = [&source, &skip];
        let product = Product { m: 768, n: 512, k: 640, sources, activation: None };
        let operands = choice(sources, 768, 512, Precision::Bf16).unwrap().operands(product, Address::of(Region::State));
        let rows = |columns| format!("@0[bf16 3 x 256 x {columns} stride 3072, 789504 by 64 x 64 swizzle 128]");
        assert_eq!(
            operands.map(|operand| operand.to_string()),
            [rows(512), rows(128), "state[bf16 512 x 640 by 64 x 64 swizzle 128]".into()]
        );
    }
}
