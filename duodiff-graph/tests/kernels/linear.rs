//! linear.cu and linear_mma.cu: products at ragged shapes, with one source or two, tables of steps, bias, activation and residual.

use std::ptr::null_mut;

use half::bf16;

use super::buffer::{Buffer, Element};
use super::object::{Object, arguments, in_every_order};
use super::reference::{activate, assert_near, tf32};
use super::window::{NO_STEP, Step, Tokens, Window};

/// A kernel: its name without the activation, its tile, block and shared memory.
pub struct Kernel {
    file: &'static str,
    pub name: String,
    tile: [usize; 2],
    block: u32,
    shared: usize,
}

impl Kernel {
    /// The object that has it; those on tensor cores are compiled for one activation each. None, with a note, where it cannot be had.
    fn object<E: Element>(&self, activation: &str) -> Option<&'static Object> {
        let define = format!("-DDUODIFF_ACTIVATION={activation}");
        let own = (self.file != "linear.cu").then_some(define.as_str());
        Object::of(self.file, &E::DEFINES.iter().copied().chain(own).collect::<Vec<_>>())
    }
}

fn generic<E: Element>() -> Kernel {
    Kernel { file: "linear.cu", name: format!("linear_{}", E::NAME), tile: [64, 64], block: 256, shared: 8704 }
}

/// The kernels for tensor cores, one for each tile.
pub fn mma<E: Element>() -> [Kernel; 4] {
    let precision = if size_of::<E>() == 2 { "bf16" } else { "tf32" };
    [(128, 128, 3), (128, 64, 4), (64, 64, 4), (32, 32, 6)].map(|(rows, columns, stages)| {
        let shared = stages * (rows + columns) * 128 + 24 * rows;
        let name = format!("linear_mma_{precision}_{rows}x{columns}");
        Kernel { file: "linear_mma.cu", name, tile: [rows, columns], block: 128, shared }
    })
}

/// The operands of a product of `images` times `rows` rows, `n` columns.
pub struct Operands<E> {
    pub first: Tokens<E>,
    pub second: Option<Tokens<E>>,
    pub weight: Buffer<E>,
    pub bias: Option<Buffer<f32>>,
    pub residual: Option<Tokens<E>>,
    pub n: usize,
}

impl<E: Element> Operands<E> {
    /// Sources of `columns`; the second is absent if it has none.
    pub fn new([images, rows]: [usize; 2], columns: [usize; 2], n: usize, is_aligned: bool, has_more: bool) -> Self {
        let make = if is_aligned { Tokens::aligned } else { Tokens::ragged };
        Self {
            first: make(1, [images, rows, columns[0]]),
            second: (columns[1] != 0).then(|| make(2, [images, rows, columns[1]])),
            weight: Buffer::normal(3, n * (columns[0] + columns[1])),
            bias: has_more.then(|| Buffer::normal(4, n)),
            residual: has_more.then(|| Tokens::ragged(5, [images, rows, n])),
            n,
        }
    }

    fn k(&self) -> usize {
        self.first.columns + self.second.as_ref().map_or(0, |second| second.columns)
    }

    fn row(&self, r: usize) -> Vec<f64> {
        let mut row = self.first.row(r);
        row.extend(self.second.iter().flat_map(|second| second.row(r)));
        row
    }

    /// The result in float64 from operands that `round` has rounded.
    pub fn wanted(&self, activation: &str, round: impl Fn(f64) -> f64) -> Vec<f64> {
        self.wanted_rows(0..self.first.total(), activation, round)
    }

    fn wanted_rows(&self, rows: impl IntoIterator<Item = usize>, activation: &str, round: impl Fn(f64) -> f64) -> Vec<f64> {
        let mut wanted = Vec::new();
        let weight: Vec<f64> = self.weight.values().into_iter().map(&round).collect();
        for r in rows {
            let row: Vec<f64> = self.row(r).into_iter().map(&round).collect();
            let residual = self.residual.as_ref().map(|residual| residual.row(r));
            for (column, weight) in weight.chunks(self.k()).enumerate() {
                let sum: f64 = row.iter().zip(weight).map(|(x, y)| x * y).sum();
                let sum = activate(activation, sum + self.bias.as_ref().map_or(0.0, |bias| bias.values()[column]));
                wanted.push(sum + residual.as_ref().map_or(0.0, |residual| residual[column]));
            }
        }
        wanted
    }

    /// Compares some rows of a result with GELU.
    pub fn check_some(&self, found: &Buffer<E>, round: impl Fn(f64) -> f64) {
        let (rows, total, n) = (self.first.rows, self.first.total(), self.n);
        let some = [0, 1, rows - 1, total / 2, total - 1];
        let found: Vec<E> = some.iter().flat_map(|r| found.elements()[r * n..][..n].to_vec()).collect();
        // Longer sums are rounded more often.
        assert_near(&found, &self.wanted_rows(some, "gelu", round), n, 16.0);
    }

    /// The result in float32 with one chain of fused multiply-adds per element, rounded once.
    fn chains(&self) -> Vec<u32> {
        let mut chains = Vec::new();
        let weight: Vec<f32> = self.weight.values().into_iter().map(|x| x as f32).collect();
        for r in 0..self.first.total() {
            let row: Vec<f32> = self.row(r).into_iter().map(|x| x as f32).collect();
            let residual = self.residual.as_ref().map(|residual| residual.row(r));
            for (column, weight) in weight.chunks(self.k()).enumerate() {
                let mut sum = row.iter().zip(weight).fold(0.0_f32, |sum, (x, y)| x.mul_add(*y, sum));
                sum += self.bias.as_ref().map_or(0.0, |bias| bias.elements()[column]);
                sum += residual.as_ref().map_or(0.0, |residual| residual[column] as f32);
                chains.push(E::rounded(sum.into()).bits());
            }
        }
        chains
    }

    /// Runs the kernel of the smallest tiles on tensor cores on all images.
    pub fn run_mma(&self, activation: &str) -> Buffer<E> {
        self.run(&mma::<E>()[3], activation, 0..self.first.images)
    }

    /// Runs a kernel on images `images`.
    fn run(&self, kernel: &Kernel, activation: &str, images: std::ops::Range<usize>) -> Buffer<E> {
        let m = images.len() * self.first.rows;
        let out = Buffer::poisoned(m * self.n);
        let of = |tokens: &Option<Tokens<E>>| tokens.as_ref().map_or(Window::NONE, |tokens| tokens.window_from(images.start));
        let (first, second, residual) = (self.first.window_from(images.start), of(&self.second), of(&self.residual));
        let bias = self.bias.as_ref().map_or(null_mut(), Buffer::pointer);
        let sizes = [m as u32, self.n as u32, self.k() as u32];
        launch(kernel, activation, [first, second, residual], &self.weight, bias, &out, sizes, NO_STEP, Norms::NONE);
        out
    }
}

/// Parameters of products on tensor cores that fold norms.
#[derive(Clone, Copy)]
pub struct Norms {
    pub statistics: Window,
    pub sums: *mut f32,
    pub eps: f32,
    pub summary: *mut f32,
}

impl Norms {
    pub const NONE: Self = Self { statistics: Window::NONE, sums: null_mut(), eps: 0.0, summary: null_mut() };
}

#[expect(clippy::too_many_arguments, reason = "as many as the kernel has")]
pub fn launch<E: Element>(
    kernel: &Kernel,
    activation: &str,
    [first, second, residual]: [Window; 3],
    weight: &Buffer<E>,
    bias: *mut f32,
    out: &Buffer<E>,
    [m, n, k]: [u32; 3],
    step: *mut Step,
    norms: Norms,
) {
    let object = kernel.object::<E>(activation).unwrap();
    let [rows, columns] = kernel.tile;
    let tiles = m.div_ceil(rows as u32) * n.div_ceil(columns as u32);
    let name = format!("{}_{activation}", kernel.name);
    let mut all = Vec::from(arguments![first, second, weight.pointer(), bias, residual, out.pointer(), m, n, k, step]);
    if kernel.file == "linear_mma.cu" {
        let Norms { statistics, sums, eps, summary } = norms;
        all.extend_from_slice(arguments![statistics, sums, eps, summary]);
    }
    object.launch(&name, [tiles, 1, 1], kernel.block, kernel.shared, &all).unwrap();
}

/// Images and rows, columns of both sources, columns of the result. Those of tensor cores in multiples of 8.
pub const SHAPES: [([usize; 2], [usize; 2], usize); 6] = [
    ([1, 1], [8, 0], 1),
    ([2, 65], [72, 0], 36),
    ([3, 17], [24, 40], 12),
    ([1, 129], [264, 0], 130),
    ([2, 50], [128, 128], 64),
    ([1, 9], [712, 64], 24),
];

/// The products of the pairs: tokens, width and elements of a patch.
const PAIRS: [[usize; 3]; 5] = [[50, 128, 16], [257, 512, 12], [257, 512, 48], [258, 768, 48], [258, 1024, 16]];

/// At every shape of the pairs, some rows of several images; on the emulator the smallest pair's.
fn pairs<E: Element>() {
    let kernels = mma::<E>();
    of_pairs::<E>(|operands| {
        let takes_mma = operands.first.columns.is_multiple_of(8);
        for kernel in kernels.iter().filter(|_| takes_mma).chain([&generic::<E>()]) {
            let round = if kernel.file == "linear.cu" { |x| x } else { operand::<E> };
            operands.check_some(&operands.run(kernel, "gelu", 0..operands.first.images), round);
        }
    });
}

/// Operands of every product of the pairs; on the emulator of the smallest pair's, and of one image.
pub fn of_pairs<E: Element>(check: impl Fn(&Operands<E>)) {
    let (pairs, images) = if super::gpu::is_asked_for() { (&PAIRS[..], 3) } else { (&PAIRS[..1], 1) };
    for &[rows, width, patch] in pairs {
        let shapes = [[width, 0, 3 * width], [width, 0, width], [width, 0, 4 * width], [4 * width, 0, width], [width, width, width]];
        for [first, second, n] in shapes.into_iter().chain([[patch, 0, width], [width, 0, patch]]) {
            check(&Operands::new([images, rows], [first, second], n, true, true));
        }
    }
}

fn operand<E: Element>(x: f64) -> f64 {
    if size_of::<E>() == 4 { tf32(x) } else { x }
}

fn tensor_cores<E: Element>() {
    for (tokens, columns, n) in SHAPES {
        for has_more in [false, true] {
            let operands = Operands::<E>::new(tokens, columns, n, true, has_more);
            let wanted = operands.wanted("none", operand::<E>);
            for kernel in &mma::<E>() {
                let found = operands.run(kernel, "none", 0..tokens[0]);
                assert_near(found.elements(), &wanted, n, 4.0);
            }
        }
    }
}

fn activations<E: Element>() {
    let operands = Operands::<E>::new([1, 40], [96, 0], 72, true, true);
    for activation in ["none", "gelu", "gelu_tanh", "silu"] {
        for kernel in &mma::<E>() {
            let wanted = operands.wanted(activation, operand::<E>);
            assert_near(operands.run(kernel, activation, 0..1).elements(), &wanted, operands.n, 4.0);
        }
        let wanted = operands.wanted(activation, |x| x);
        assert_near(operands.run(&generic::<E>(), activation, 0..1).elements(), &wanted, operands.n, 4.0);
    }
}

/// Neither tile, batch, position nor the order of threads changes a bit.
fn invariance<E: Element>() {
    let operands = Operands::<E>::new([3, 70], [136, 200], 140, true, true);
    let kernels = mma::<E>();
    let together = in_every_order(|| operands.run(&kernels[0], "gelu", 0..3).bits());
    for kernel in &kernels {
        let each: Vec<u32> = (0..3).flat_map(|image| operands.run(kernel, "gelu", image..image + 1).bits()).collect();
        assert!(each == together, "{}", kernel.name);
    }
}

fn chains<E: Element>() {
    let ragged = [([1, 1], [1, 0], 1), ([2, 33], [37, 0], 70), ([1, 65], [12, 7], 5), ([3, 5], [130, 66], 129)];
    for (tokens, columns, n) in SHAPES.into_iter().chain(ragged) {
        for (is_aligned, has_more) in [(true, true), (false, true), (false, false)] {
            let operands = Operands::<E>::new(tokens, columns, n, is_aligned, has_more);
            let found = in_every_order(|| operands.run(&generic::<E>(), "none", 0..tokens[0]).bits());
            assert!(found == operands.chains(), "{tokens:?} {columns:?} {n}");
        }
    }
}

/// The source is a table of steps, the residual one row for all.
fn tables<E: Element>() {
    let (table, weight) = (Tokens::<E>::aligned(1, [4, 3, 24]), Buffer::<E>::normal(2, 20 * 24));
    let step = Buffer::from(&[Step { row: 9, entry: 2, ticket: 0, reserved: 0 }]);
    let shared = Tokens::<E>::aligned(3, [1, 1, 20]);
    let residual = Window { image: 0, stride: 0, ..shared.window() };
    for kernel in mma::<E>().iter().chain([&generic::<E>()]) {
        let out = Buffer::<E>::poisoned(6 * 20);
        let windows = [table.table(), Window::NONE, residual];
        launch(kernel, "none", windows, &weight, null_mut(), &out, [6, 20, 24], step.pointer(), Norms::NONE);
        let round = if kernel.file == "linear.cu" { |x| x } else { operand::<E> };
        let weights = weight.values();
        let wanted: Vec<f64> = (0..6)
            .flat_map(|r| {
                let row = table.row(2 * 3 + r % 3);
                let sums = weights.chunks(24).map(move |weight| row.iter().zip(weight).map(|(x, y)| round(*x) * round(*y)).sum::<f64>());
                sums.zip(shared.row(0)).map(|(sum, more)| sum + more).collect::<Vec<_>>()
            })
            .collect();
        assert_near(out.elements(), &wanted, 20, 4.0);
    }
}

macro_rules! both {
    ($($test:ident $f:ident),* $(,)?) => {$(
        #[test]
        fn $test() {
            if super::object::is_possible() {
                $f::<f32>();
                $f::<bf16>();
            }
        }
    )*};
}

both! {
    products_on_tensor_cores tensor_cores,
    activations_of_products activations,
    tiles_and_batches_change_no_bit invariance,
    products_of_any_shape_are_chains chains,
    products_of_tables tables,
    products_of_the_pairs pairs,
}
