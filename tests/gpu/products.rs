//! Products by kernel and tile: what `launch/gpu.rs` is filled from.

use std::any::Any;
use std::ffi::c_void;

use duodiff::graph::cuda::Gpu;
use duodiff::graph::cuda::bench::{Bench, Device, Shape};
use duodiff::graph::launch::{self, Address, Element, Module, Region, Tensor, WarpgroupTile};
use duodiff::graph::noise::{Noise, Philox};
use duodiff::graph::target::Sm;

use crate::Result;
use crate::bed::Bed;
use crate::table::Table;

/// A tile's kernel.
#[derive(Clone, Copy)]
pub enum Tile {
    /// Rows, columns, stages.
    Mma(u32, u32, u32),
    /// On warpgroups; its operand rows without gaps, or a window of images.
    Warpgroups(WarpgroupTile, bool),
}

const TILES: [(u32, u32, u32); 4] = [(128, 128, 3), (128, 64, 4), (64, 64, 4), (32, 32, 6)];

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
        let rows: f64 = tile.rows(m).into_iter().map(f64::from).product();
        Ok((tile.name(), seconds, 2e-12 * rows * f64::from(n) * f64::from(k) / seconds))
    };
    tiles.iter().map(rate).collect()
}

impl Tile {
    /// Those that there are cubins of.
    pub fn all(bed: &Bed) -> Vec<Self> {
        let mma = TILES.into_iter().map(|(rows, columns, stages)| Self::Mma(rows, columns, stages));
        let warpgroups = [false, true].into_iter().flat_map(|has_gaps| WarpgroupTile::ALL.map(|tile| Self::Warpgroups(tile, has_gaps)));
        mma.chain(warpgroups).filter(|tile| bed.cubins.iter().any(|cubin| cubin.module == tile.module())).collect()
    }

    fn module(self) -> Module {
        match self {
            Self::Mma(..) => Module::LinearMma(Element::Bf16, None),
            Self::Warpgroups(..) => Module::LinearWgmma(None),
        }
    }

    fn entry(self) -> String {
        match self {
            Self::Mma(rows, columns, _) => format!("linear_mma_bf16_{rows}x{columns}_none"),
            Self::Warpgroups(tile, _) => tile.entry("none"),
        }
    }

    /// What the table calls it.
    fn name(self) -> String {
        self.entry() + if matches!(self, Self::Warpgroups(_, true)) { ", images with gaps" } else { "" }
    }

    fn shape(self, m: u32, n: u32, processors: u32) -> Shape {
        match self {
            Self::Mma(rows, columns, stages) => {
                let grid = [m.div_ceil(rows) * n.div_ceil(columns), 1, 1];
                Shape { grid, block: 128, shared: stages * (rows + columns) * 128 + 24 * rows }
            }
            Self::Warpgroups(tile, _) => {
                let tiles = m.div_ceil(tile.rows) * n.div_ceil(tile.columns);
                let resident = processors * (launch::Gpu::of(Sm::Sm90a).shared / tile.shared());
                Shape { grid: [tiles.min(resident), 1, 1], block: tile.threads(), shared: tile.shared() }
            }
        }
    }

    /// Images, and rows of each that are multiplied of so many: all but an image's last, which is the gap, or all as one image's.
    fn rows(self, m: u32) -> [u32; 2] {
        let has_gaps = matches!(self, Self::Warpgroups(_, true));
        let images = m.div_ceil(ROWS);
        if has_gaps { [images, m / images - 1] } else { [1, m] }
    }

    /// Seconds of a launch.
    fn time(self, bench: &mut Bench, [a, weight, out]: [u64; 3], [m, n, k]: [u32; 3], processors: u32) -> Result<f64> {
        let mut list = Parameters::default();
        let absent = Window { base: 0, image: 0, sizes: [0; 4] };
        match self {
            Self::Mma(..) => {
                let a0 = Window { base: a, image: u64::from(m) * u64::from(k), sizes: [k, m, k, 0] };
                list.push(a0).push(absent).push(weight).push(0_u64).push(absent).push(out).push(m).push(n).push(k).push(0_u64);
                // No norm is folded.
                list.push(absent).push(0_u64).push(0_u32).push(0_u64);
            }
            Self::Warpgroups(tile, _) => {
                let [images, rows] = self.rows(m);
                let image = u64::from(m / images) * u64::from(k);
                let window = launch::Window { base: Some(Address::of(Region::Arena)), image, stride: k, rows, columns: k, step: 0 };
                let source = Tensor::of(&window, Element::Bf16, images * rows, tile.rows);
                let matrix = Tensor::dense(Address::of(Region::Arena), Element::Bf16, [n, k], tile.columns);
                list.push(bench.map(&source, a)?).push([0_u64; 16]).push(bench.map(&matrix, weight)?).push(0_u64).push(absent).push(out);
                list.push(images * rows).push(n).push(k).push(0_u32).push(source.rows()).push(0_u32).push(0_u64);
            }
        }
        let (entry, shape) = (self.entry(), self.shape(m, n, processors));
        // SAFETY: the parameters are those of the kernels of linear_mma.cu and linear_wgmma.cu; the operands have these sizes.
        Ok(unsafe { bench.time((self.module(), &entry, shape), &mut list.pointers(), COUNT, GRAPHS) }?.as_secs_f64())
    }
}

/// Parameters of a kernel, each in a place of its own.
#[derive(Default)]
struct Parameters {
    values: Vec<Box<dyn Any>>,
}

impl Parameters {
    fn push<V: Copy + 'static>(&mut self, value: V) -> &mut Self {
        self.values.push(Box::new(value));
        self
    }

    fn pointers(&mut self) -> Vec<*mut c_void> {
        self.values.iter_mut().map(|value| (&raw mut **value).cast()).collect()
    }
}
