//! Products by kernel and tile: what `launch/gpu.rs` is filled from.

use std::ffi::c_void;

use duodiff::graph::cuda::Gpu;
use duodiff::graph::cuda::bench::{Bench, Device, Shape};
use duodiff::graph::launch::{Element, Module};
use duodiff::graph::noise::{Noise, Philox};

use crate::Result;
use crate::bed::Bed;
use crate::table::Table;

/// A tile's kernel: family, module, rows, columns, stages.
pub struct Tile {
    family: &'static str,
    module: Module,
    rows: u32,
    columns: u32,
    stages: u32,
}

const TILES: [(u32, u32, u32); 4] = [(128, 128, 3), (128, 64, 4), (64, 64, 4), (32, 32, 6)];
const WARPGROUP_TILES: [(u32, u32, u32); 3] = [(128, 256, 4), (128, 128, 5), (64, 64, 6)];

/// Rows of a batch of CIFAR-10, and `[n, k]` of its products.
const ROWS: u32 = 257;
const PRODUCTS: [(&str, u32, u32); 5] =
    [("qkv", 1536, 512), ("proj", 512, 512), ("fc1", 2048, 512), ("fc2", 512, 2048), ("skip", 512, 1024)];

/// `Window` of the kernels.
#[repr(C)]
#[derive(Clone, Copy)]
struct Window {
    base: u64,
    image: u64,
    sizes: [u32; 4],
}

/// Launches of a graph, and graphs whose median counts.
const COUNT: u32 = 20;
const GRAPHS: usize = 7;

/// Random numbers of a bfloat16 product or, as 32-bit words of the same size, of nothing else.
fn noise(bench: &Bench, elements: usize) -> Result<Device> {
    let mut noise = vec![0.0; elements.min(1 << 22)];
    Philox { seed: 3 }.fill(0, 0, &mut noise);
    let bytes: Vec<u8> = noise.iter().cycle().take(elements).flat_map(|x| ((x.to_bits() >> 16) as u16).to_le_bytes()).collect();
    Ok(bench.upload(&bytes)?)
}

/// Microseconds and TFLOP/s of every tile for CIFAR-10's products in bf16.
pub fn time(bed: &Bed, batches: &[u32]) -> Result<Table> {
    let mut bench = Bench::new(Gpu::open(0)?, &bed.cubins)?;
    let mut table = Table::new(["product", "batch", "kernel", "µs", "TFLOP/s"]);
    let tiles = Tile::all(bed);
    for &batch in batches {
        for (name, n, k) in PRODUCTS {
            for (entry, seconds, rate) in rates(&mut bench, &tiles, [batch * ROWS, n, k])? {
                eprintln!("{name} {batch} {entry}: {:.1} µs, {rate:.0} TFLOP/s", 1e6 * seconds);
                table.row([name.into(), batch.to_string(), entry, format!("{:.1}", 1e6 * seconds), format!("{rate:.0}")]);
            }
        }
    }
    Ok(table)
}

/// Kernel, seconds and TFLOP/s of a product of `[m, n, k]` by each tile.
pub fn rates(bench: &mut Bench, tiles: &[Tile], [m, n, k]: [u32; 3]) -> Result<Vec<(String, f64, f64)>> {
    let processors = bench.record().processors;
    let operand = |rows: u32, columns: u32| noise(bench, rows as usize * columns as usize);
    let memory = [operand(m, k)?, operand(n, k)?, operand(m, n)?];
    let operands = memory.each_ref().map(Device::address);
    let rate = |tile: &Tile| {
        let seconds = tile.time(bench, operands, [m, n, k], processors)?;
        Ok((tile.entry(), seconds, 2e-12 * f64::from(m) * f64::from(n) * f64::from(k) / seconds))
    };
    tiles.iter().map(rate).collect()
}

impl Tile {
    /// Those that there are cubins of.
    pub fn all(bed: &Bed) -> Vec<Self> {
        let tile = |family, module| move |(rows, columns, stages)| Self { family, module, rows, columns, stages };
        let mma = TILES.map(tile("linear_mma_bf16", Module::LinearMma(Element::Bf16, None)));
        let wgmma = WARPGROUP_TILES.map(tile("linear_wgmma_bf16", Module::LinearWgmma(None)));
        let is_there = |tile: &Self| bed.cubins.iter().any(|cubin| cubin.module == tile.module);
        mma.into_iter().chain(wgmma).filter(is_there).collect()
    }

    fn entry(&self) -> String {
        format!("{}_{}x{}_none", self.family, self.rows, self.columns)
    }

    fn shape(&self, m: u32, n: u32, processors: u32) -> Shape {
        let tiles = m.div_ceil(self.rows) * n.div_ceil(self.columns);
        let stage = (self.rows + self.columns) * 128;
        if self.module == Module::LinearWgmma(None) {
            let shared = self.stages * (stage + 16) + self.rows / 64 * 10240;
            Shape { grid: [tiles.min(processors * (232_448 / shared)), 1, 1], block: 128 + 2 * self.rows, shared }
        } else {
            Shape { grid: [tiles, 1, 1], block: 128, shared: self.stages * stage + 24 * self.rows }
        }
    }

    /// Seconds of a launch.
    fn time(&self, bench: &mut Bench, [a, weight, out]: [u64; 3], [m, n, k]: [u32; 3], processors: u32) -> Result<f64> {
        let mut a0 = Window { base: a, image: u64::from(m) * u64::from(k), sizes: [k, m, k, 0] };
        let mut absent = Window { base: 0, image: 0, sizes: [0; 4] };
        let (mut weight, mut out, mut none, mut sizes) = (weight, out, 0_u64, [m, n, k]);
        let [m_at, n_at, k_at] = &mut sizes;
        let window = |window: &mut Window| (&raw mut *window).cast::<c_void>();
        let number = |number: &mut u32| (&raw mut *number).cast::<c_void>();
        let pointer = |pointer: &mut u64| (&raw mut *pointer).cast::<c_void>();
        let (absent, none) = (window(&mut absent), pointer(&mut none));
        let mut parameters = [
            window(&mut a0),
            absent,
            pointer(&mut weight),
            none,
            absent,
            pointer(&mut out),
            number(m_at),
            number(n_at),
            number(k_at),
            none,
            // No norm is folded; kernels on warpgroups do not know these.
            absent,
            none,
            none,
            none,
        ];
        let what = (self.module, &*self.entry(), self.shape(m, n, processors));
        // SAFETY: the parameters are those of the kernels of linear_mma.cu and linear_wgmma.cu; the operands have these sizes.
        Ok(unsafe { bench.time(what, &mut parameters, COUNT, GRAPHS) }?.as_secs_f64())
    }
}
