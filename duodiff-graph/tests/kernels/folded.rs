//! Layer norms folded into products: statistics that one product leaves, and what the next makes of them.

use std::ptr::null_mut;

use half::bf16;

use super::buffer::Buffer;
use super::linear::{Kernel, Norms, launch, mma};
use super::object::{Object, arguments, in_every_order, is_possible};
use super::reference::{assert_near, norm};
use super::window::{NO_STEP, Tokens, Window};

/// Columns that share an entry of statistics.
const PART: usize = 32;

const EPS: f32 = 1e-5;

/// Rows with statistics, as a product writes them: `[images · rows, columns]`.
struct Rows {
    images: usize,
    rows: usize,
    columns: usize,
    out: Buffer<bf16>,
    statistics: Buffer<f32>,
}

impl Rows {
    /// A product of noise is added to rows around `mean`, of standard deviation 1.
    fn new(kernel: &Kernel, [images, rows, columns]: [usize; 3], mean: f64) -> Self {
        let (m, k) = (images * rows, 64);
        let source = Tokens::<bf16>::aligned(1, [images, rows, k]);
        let weight = Buffer::<bf16>::normal(2, columns * k);
        let residual = Tokens::<bf16>::ragged(3, [images, rows, columns]).map(|x| x + mean);
        let (out, statistics) = (Buffer::poisoned(m * columns), Buffer::poisoned(m * columns / PART * 2));
        let windows = [source.window(), Window::NONE, residual.window()];
        let norms = Norms { summary: statistics.pointer(), ..Norms::NONE };
        launch(kernel, "none", windows, &weight, null_mut(), &out, [m, columns, k].map(|x| x as u32), NO_STEP, norms);
        Self { images, rows, columns, out, statistics }
    }

    /// Rows from `first` on of each image, and their statistics.
    fn windows(&self, first: usize) -> [Window; 2] {
        let window = |base: *const u8, entry: usize, columns: usize| Window {
            base: base.wrapping_add(first * columns * entry),
            image: (self.rows * columns) as u64,
            stride: columns as u32,
            rows: (self.rows - first) as u32,
            columns: columns as u32,
            step: 0,
        };
        [window(self.out.pointer().cast(), 2, self.columns), window(self.statistics.pointer().cast(), 8, self.columns / PART)]
    }
}

/// Shapes of rows whose tiles are ragged in every direction.
const SHAPES: [[usize; 3]; 4] = [[1, 1, 32], [2, 33, 96], [3, 50, 128], [1, 130, 160]];

#[test]
fn statistics_are_those_of_what_was_written() {
    if !is_possible() {
        return;
    }
    for shape in SHAPES {
        for mean in [0.0, 100.0] {
            let rows = Rows::new(&mma::<bf16>()[0], shape, mean);
            let parts = rows.out.values();
            for (part, found) in parts.chunks(PART).zip(rows.statistics.elements().chunks(2)) {
                let wanted = part.iter().sum::<f64>() / PART as f64;
                let squares: f64 = part.iter().map(|x| (x - wanted) * (x - wanted)).sum();
                assert!((f64::from(found[0]) - wanted).abs() <= 1e-6 * wanted.abs().max(1.0), "{found:?}, wanted {wanted}");
                assert!((f64::from(found[1]) - squares).abs() <= 1e-5 * squares, "{found:?}, wanted {squares}");
            }
            for kernel in &mma::<bf16>() {
                let other = in_every_order(|| Rows::new(kernel, shape, mean).statistics.bits());
                assert!(other == rows.statistics.bits(), "{} {shape:?}", kernel.name);
            }
        }
    }
}

/// A norm and a linear behind it: as the checkpoint has them, and folded.
struct Layer {
    n: usize,
    gain: Vec<f64>,
    shift: Vec<f64>,
    weight: Vec<f64>,
    bias: Vec<f64>,
    folded: Buffer<bf16>,
    folded_bias: Buffer<f32>,
    sums: Buffer<f32>,
}

impl Layer {
    fn new(k: usize, n: usize) -> Self {
        let normal = |seed, count| Buffer::<f32>::normal(seed, count).values();
        let gain: Vec<f64> = normal(11, k).into_iter().map(|x| 1.0 + 0.3 * x).collect();
        let (shift, weight, bias) = (normal(12, k), normal(13, n * k), normal(14, n));
        let folded: Vec<bf16> = weight.iter().zip(gain.iter().cycle()).map(|(w, g)| bf16::from_f32((w * g) as f32)).collect();
        let of_rows = |f: &dyn Fn(usize) -> f64| (0..n).map(|row| (row * k..(row + 1) * k).map(f).sum::<f64>()).collect::<Vec<_>>();
        let sums: Vec<f32> = of_rows(&|at| folded[at].into()).into_iter().map(|x| x as f32).collect();
        let shifted = of_rows(&|at| weight[at] * shift[at % k]);
        let folded_bias: Vec<f32> = shifted.into_iter().zip(&bias).map(|(x, bias)| (x + bias) as f32).collect();
        let [folded_bias, sums] = [folded_bias, sums].map(|all| Buffer::from(&all));
        Self { n, gain, shift, weight, bias, folded: Buffer::from(&folded), folded_bias, sums }
    }

    /// In float64.
    fn wanted(&self, rows: &Rows, first: usize) -> Vec<f64> {
        let (k, values) = (rows.columns, rows.out.values());
        let is_read = |r: &usize| r % rows.rows >= first;
        let rows = (0..rows.images * rows.rows).filter(is_read).map(|r| {
            let row = norm(&values[r * k..(r + 1) * k], EPS.into(), |i| self.gain[i], |i| self.shift[i]);
            self.weight
                .chunks(k)
                .zip(&self.bias)
                .map(|(weight, bias)| row.iter().zip(weight).map(|(x, w)| x * w).sum::<f64>() + bias)
                .collect()
        });
        rows.collect::<Vec<Vec<f64>>>().concat()
    }

    fn folded(&self, kernel: &Kernel, rows: &Rows, first: usize) -> Buffer<bf16> {
        let ([x, statistics], m) = (rows.windows(first), rows.images * (rows.rows - first));
        let out = Buffer::poisoned(m * self.n);
        let norms = Norms { statistics, sums: self.sums.pointer(), eps: EPS, summary: null_mut() };
        let (windows, sizes) = ([x, Window::NONE, Window::NONE], [m, self.n, rows.columns].map(|x| x as u32));
        launch(kernel, "none", windows, &self.folded, self.folded_bias.pointer(), &out, sizes, NO_STEP, norms);
        out
    }

    /// The norm by itself, then the product.
    fn unfolded(&self, kernel: &Kernel, rows: &Rows) -> Buffer<bf16> {
        let (m, k) = (rows.images * rows.rows, rows.columns);
        let [x, _] = rows.windows(0);
        let normed = Buffer::<bf16>::poisoned(m * k);
        let float = |values: &[f64]| Buffer::from(&values.iter().map(|x| *x as f32).collect::<Vec<_>>());
        let [gain, shift, bias] = [&self.gain, &self.shift, &self.bias].map(|values| float(values));
        let weight = Buffer::from(&self.weight.iter().map(|x| bf16::from_f32(*x as f32)).collect::<Vec<_>>());
        let object = Object::of("tokens.cu", &["-DDUODIFF_BF16"]).unwrap();
        let all = arguments![x, Window::NONE, gain.pointer(), shift.pointer(), EPS, normed.pointer(), m as u32, NO_STEP];
        object.launch("norm_bf16", [m.div_ceil(8) as u32, 1, 1], 256, 0, all).unwrap();
        let out = Buffer::poisoned(m * self.n);
        let all = Window { base: normed.pointer().cast(), rows: m as u32, image: 0, ..x };
        let (windows, sizes) = ([all, Window::NONE, Window::NONE], [m, self.n, k].map(|x| x as u32));
        launch(kernel, "none", windows, &weight, bias.pointer(), &out, sizes, NO_STEP, Norms::NONE);
        out
    }
}

/// The root of the mean of squares of what is off, as a share of that of what is wanted.
fn off(found: &Buffer<bf16>, wanted: &[f64]) -> f64 {
    let squares = |values: &mut dyn Iterator<Item = f64>| values.map(|x| x * x).sum::<f64>();
    (squares(&mut found.values().iter().zip(wanted).map(|(a, b)| a - b)) / squares(&mut wanted.iter().copied())).sqrt()
}

/// Also of rows whose mean is a hundred times their deviation: no worse than the norm by itself, whose result is rounded.
#[test]
fn folded_norms_are_as_good_as_norms() {
    if !is_possible() {
        return;
    }
    let kernels = mma::<bf16>();
    for (shape, n) in SHAPES.into_iter().zip([40, 130, 64, 12]) {
        let layer = Layer::new(shape[2], n);
        for mean in [0.0, 100.0, 1000.0] {
            let rows = Rows::new(&kernels[3], shape, mean);
            let wanted = layer.wanted(&rows, 0);
            let found = layer.folded(&kernels[0], &rows, 0);
            assert_near(found.elements(), &wanted, n, 2.0);
            let (folded, unfolded) = (off(&found, &wanted), off(&layer.unfolded(&kernels[0], &rows), &wanted));
            println!("{shape:?}, mean {mean}: folded {folded:.1e}, by itself {unfolded:.1e}");
            assert!(folded <= unfolded, "{folded:.1e}, by itself {unfolded:.1e}");
        }
    }
}

#[test]
fn folded_norms_have_equal_bits_in_every_tile_and_window() {
    if !is_possible() {
        return;
    }
    let kernels = mma::<bf16>();
    let (rows, layer) = (Rows::new(&kernels[1], [3, 50, 128], 10.0), Layer::new(128, 100));
    let all = layer.folded(&kernels[0], &rows, 0).bits();
    for first in [0, 1] {
        let wanted: Vec<u32> = all.chunks(100 * 50).flat_map(|image| &image[first * 100..]).copied().collect();
        for kernel in &kernels {
            assert!(in_every_order(|| layer.folded(kernel, &rows, first).bits()) == wanted, "{}, from row {first}", kernel.name);
        }
    }
}
