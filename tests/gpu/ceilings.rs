//! What the GPU does at best, measured in the same run: a large copy, and a large product by the kernel and tile that is fastest at it.

use duodiff::graph::cuda::Gpu;
use duodiff::graph::cuda::bench::Bench;

use crate::Result;
use crate::bed::Bed;
use crate::products::{self, Tile};

/// Rounds whose median counts.
const ROUNDS: usize = 7;

/// Rates of the GPU.
pub struct Ceilings {
    /// GB/s of a copy, read and written.
    pub copy: f64,
    /// TFLOP/s of a product in bf16, and of which kernel.
    pub product: f64,
    kernel: String,
}

impl Ceilings {
    /// By a copy of so many bytes and a product of matrices of so many rows and columns.
    pub fn measure(bed: &Bed, bytes: usize, side: u32) -> Result<Self> {
        let mut bench = Bench::new(Gpu::open(0)?, &bed.cubins)?;
        let copy = 2e-9 * bytes as f64 / bench.time_copy(bytes, ROUNDS)?.as_secs_f64();
        let rates = products::rates(&mut bench, &Tile::all(bed), [side; 3])?;
        let (kernel, _, product) = rates.into_iter().max_by(|(.., a), (.., b)| a.total_cmp(b)).ok_or("no kernel")?;
        Ok(Self { copy, product, kernel })
    }
}

impl std::fmt::Display for Ceilings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { copy, product, kernel } = self;
        write!(f, "ceilings: copy {copy:.0} GB/s, product in bf16 {product:.1} TFLOP/s ({kernel})")
    }
}
