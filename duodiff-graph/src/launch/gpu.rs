//! What the choice of kernels depends on, per kind of GPU: the table that measurements are entered in.

use crate::target::Sm;

/// Facts about a kind of GPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gpu {
    /// The kind.
    pub target: Sm,
    /// Streaming multiprocessors of the largest card of the kind that is sold for computing.
    pub processors: u32,
    /// Bytes of shared memory that a block can have.
    pub shared: u32,
    /// Tiles of products on tensor cores: rows, columns, and how fast one is computed, in thousandths of the first. Estimated from the
    /// operands that a tile brings per product until they are measured.
    pub tiles: [(u32, u32, u32); 4],
    /// The same of tiles on warpgroups; none where products are not computed on them.
    pub warpgroup_tiles: Option<[(u32, u32, u32); 3]>,
    /// Whether layer norms are folded into products of bfloat16 where they can be. Products on warpgroups are not made for it: where there
    /// are [`Self::warpgroup_tiles`], norms are launched by themselves.
    pub folds_norms: bool,
}

const TILES: [(u32, u32, u32); 4] = [(128, 128, 1000), (128, 64, 850), (64, 64, 700), (32, 32, 400)];

/// What an entry's [`Gpu::warpgroup_tiles`] may be, for [`Sm::Sm90a`] alone. None has them: these kernels have run on an emulator only,
/// and measurements decide.
pub const WARPGROUP_TILES: [(u32, u32, u32); 3] = [(128, 256, 1000), (128, 128, 800), (64, 64, 400)];

/// One entry per kind.
const GPUS: [Gpu; 7] = [
    Gpu { target: Sm::Sm80, processors: 108, shared: 166_912, tiles: TILES, warpgroup_tiles: None, folds_norms: true },
    Gpu { target: Sm::Sm86, processors: 84, shared: 101_376, tiles: TILES, warpgroup_tiles: None, folds_norms: true },
    Gpu { target: Sm::Sm89, processors: 142, shared: 101_376, tiles: TILES, warpgroup_tiles: None, folds_norms: true },
    Gpu { target: Sm::Sm90, processors: 132, shared: 232_448, tiles: TILES, warpgroup_tiles: None, folds_norms: true },
    Gpu { target: Sm::Sm90a, processors: 132, shared: 232_448, tiles: TILES, warpgroup_tiles: None, folds_norms: true },
    Gpu { target: Sm::Sm100, processors: 148, shared: 232_448, tiles: TILES, warpgroup_tiles: None, folds_norms: true },
    Gpu { target: Sm::Sm120, processors: 170, shared: 101_376, tiles: TILES, warpgroup_tiles: None, folds_norms: true },
];

impl Gpu {
    /// The entry of a kind.
    pub fn of(target: Sm) -> Self {
        GPUS.into_iter().find(|gpu| gpu.target == target).expect("invariant: every kind has an entry")
    }
}

#[cfg(test)]
mod tests {
    use super::{GPUS, Gpu};
    use crate::target::Target;

    #[test]
    fn every_kind_has_an_entry() {
        for target in Target::ALL.into_iter().filter_map(Target::gpu) {
            assert_eq!(Gpu::of(target).target, target);
        }
        assert_eq!(GPUS.len() + 1, Target::ALL.len());
    }
}
