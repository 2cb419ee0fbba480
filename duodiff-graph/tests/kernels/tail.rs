//! tail.cu: the end of a network in one kernel, bit for bit what the kernels that it stands for compute.

use std::ptr::null_mut;

use duodiff_graph::process::HISTORY;
use half::bf16;

use super::buffer::{Buffer, Element};
use super::image::{INDICES, Row, SEED_WORDS, solver_rows};
use super::object::{Argument, Object, arguments, in_every_order, is_possible};
use super::window::{NO_STEP, Step, Tokens, Window};

const EPS: f32 = 1e-5;

/// What a tail works on: tokens of 3 images of so many channels, height, width and patch.
struct Case<E> {
    sizes: [usize; 4],
    x: Tokens<E>,
    gain: Buffer<f32>,
    shift: Buffer<f32>,
    weight: Buffer<E>,
    bias: Buffer<f32>,
    convolution: Option<[Buffer<f32>; 2]>,
}

/// Where an update happens.
struct State {
    rows: Buffer<Row>,
    step: Buffer<Step>,
    x: Buffer<f32>,
    saved: Buffer<f32>,
    history: Buffer<f32>,
    indices: Buffer<u64>,
}

impl State {
    fn new(elements: usize) -> Self {
        let normal = |seed, count| Buffer::<f32>::normal(seed, count);
        let step = Buffer::from(&[Step { row: 5, entry: 99, ticket: 0, reserved: 0 }]);
        let (x, saved, history) = (normal(21, 3 * elements), normal(22, 3 * elements), normal(23, HISTORY * 3 * elements));
        Self { rows: Buffer::from(&solver_rows()), step, x, saved, history, indices: Buffer::from(&INDICES) }
    }

    fn bits(&self) -> Vec<u32> {
        assert_eq!(self.step.elements(), [Step { row: 6, entry: 105, ticket: 0, reserved: 0 }]);
        [self.x.bits(), self.saved.bits(), self.history.bits()].concat()
    }
}

fn run<E: Element>(file: &str, name: &str, grid: [usize; 2], shared: usize, all: &[Argument]) {
    let defines = if file == "image.cu" { &[] } else { E::DEFINES };
    let [x, y] = grid.map(|blocks| blocks as u32);
    Object::of(file, defines).unwrap().launch(name, [x, y, 1], 256, shared, all).unwrap();
}

impl<E: Element> Case<E> {
    fn new(sizes: [usize; 4], k: usize, has_convolution: bool) -> Self {
        let [channels, height, width, patch] = sizes;
        let (tokens, columns) = (height / patch * (width / patch), channels * patch * patch);
        let normal = |seed, count| Buffer::<f32>::normal(seed, count);
        // Of bfloat16's numbers in both types.
        let weights: Vec<E> = normal(4, columns * k).values().iter().map(|x| E::rounded(bf16::from_f64(*x).into())).collect();
        Self {
            sizes,
            x: Tokens::aligned(1, [3, tokens, k]).map(|x| bf16::from_f64(x).into()),
            gain: normal(2, k),
            shift: normal(3, k),
            weight: Buffer::from(&weights),
            bias: normal(5, columns),
            convolution: has_convolution.then(|| [normal(6, channels * channels * 9), normal(7, channels)]),
        }
    }

    fn elements(&self) -> usize {
        self.sizes[..3].iter().product()
    }

    /// The tail with `each` columns to a thread and so many lines of patches to a block: the output, or the state after an update.
    fn tail(&self, each: usize, lines: usize, statistics: Option<&Buffer<f32>>, update: bool) -> Vec<u32> {
        let [c, h, w, p] = self.sizes.map(|size| size as u32);
        let made = (self.sizes[1] / self.sizes[3]).min(lines + 2 * usize::from(self.convolution.is_some()));
        let across = self.sizes[2] / self.sizes[3];
        let shared = 512 * self.bias.elements().len() + made * across * 8 + 4 * self.sizes[0] * made * self.sizes[3] * self.sizes[2];
        let (out, state) = (Buffer::<f32>::poisoned(3 * self.elements()), State::new(self.elements()));
        let parts = self.x.columns / 32;
        let statistics = statistics.map_or(Window::NONE, |statistics| Window {
            base: statistics.pointer().cast(),
            image: (self.x.rows * parts) as u64,
            stride: parts as u32,
            rows: self.x.rows as u32,
            columns: parts as u32,
            step: 0,
        });
        let [kernel, kernel_bias] = self.convolution.as_ref().map_or([null_mut(); 2], |both| both.each_ref().map(Buffer::pointer));
        let first = arguments![
            self.x.window(),
            statistics,
            self.gain.pointer(),
            self.shift.pointer(),
            EPS,
            self.weight.pointer(),
            self.bias.pointer()
        ];
        let second = arguments![c, h, w, p, kernel, kernel_bias, c, lines as u32, out.pointer(), 3_u32];
        let none = null_mut::<f32>();
        let [low, high] = SEED_WORDS;
        let (rows, step, indices) = (state.rows.pointer(), state.step.pointer(), state.indices.pointer());
        let (x, saved, history) = (state.x.pointer(), state.saved.pointer(), state.history.pointer());
        let third = if update {
            arguments![step, rows, x, saved, history, indices, low, high].to_vec()
        } else {
            arguments![NO_STEP, none, none, none, none, none, 0_u32, 0_u32].to_vec()
        };
        let grid = [(self.sizes[1] / self.sizes[3]).div_ceil(lines), 3];
        run::<E>("tail.cu", &format!("tail_{}_{each}", E::NAME), grid, shared, &[first.to_vec(), second.to_vec(), third].concat());
        if update { state.bits() } else { out.bits() }
    }

    /// The same by a kernel for each operator.
    fn kernels(&self, update: bool) -> Vec<u32> {
        let [c, h, w, p] = self.sizes.map(|size| size as u32);
        let (m, k, n) = (self.x.total(), self.x.columns, self.bias.elements().len());
        let (normed, product) = (Buffer::<E>::poisoned(m * k), Buffer::<E>::poisoned(m * n));
        let (decoded, mut out) = (Buffer::<f32>::poisoned(3 * self.elements()), Buffer::<f32>::poisoned(3 * self.elements()));
        let name = |kernel: &str| format!("{kernel}_{}", E::NAME);
        let [gain, shift, bias] = [&self.gain, &self.shift, &self.bias].map(Buffer::pointer);
        let all = arguments![self.x.window(), Window::NONE, gain, shift, EPS, normed.pointer(), m as u32, NO_STEP];
        run::<E>("tokens.cu", &name("norm"), [m.div_ceil(8), 1], 0, all);
        let whole = |buffer: &Buffer<E>, columns: usize| Window {
            base: buffer.pointer().cast(),
            image: (self.x.rows * columns) as u64,
            stride: columns as u32,
            rows: self.x.rows as u32,
            columns: columns as u32,
            step: 0,
        };
        let sizes = [m, n, k].map(|size| size as u32);
        let (x, none, weight) = (whole(&normed, k), Window::NONE, self.weight.pointer());
        let all = arguments![x, none, weight, bias, none, product.pointer(), sizes[0], sizes[1], sizes[2], NO_STEP];
        run::<E>("linear.cu", &format!("{}_none", name("linear")), [m.div_ceil(64) * n.div_ceil(64), 1], 8704, all);
        let elements = self.elements();
        let all = arguments![whole(&product, n), c, h, w, p, decoded.pointer(), 3_u32, NO_STEP];
        run::<E>("tokens.cu", &name("unpatchify"), [(3 * elements).div_ceil(256), 1], 0, all);
        match &self.convolution {
            None => out = decoded,
            Some([kernel, bias]) => {
                let all = arguments![decoded.pointer(), kernel.pointer(), bias.pointer(), c, h, w, c, out.pointer(), 3_u32];
                run::<E>("image.cu", "conv3x3", [(3 * elements).div_ceil(256), 1], 0, all);
            }
        }
        if !update {
            return out.bits();
        }
        let (state, [low, high]) = (State::new(elements), SEED_WORDS);
        let (rows, step, indices) = (state.rows.pointer(), state.step.pointer(), state.indices.pointer());
        let (x, saved, history) = (state.x.pointer(), state.saved.pointer(), state.history.pointer());
        let all = arguments![rows, step, x, out.pointer(), saved, history, indices, low, high, elements as u32, 3_u32];
        run::<E>("image.cu", "update", [elements.div_ceil(4).div_ceil(256), 3], 0, all);
        state.bits()
    }
}

/// Channels, height, width and patch; columns of the tokens.
const CASES: [([usize; 4], usize); 4] = [([3, 8, 8, 2], 32), ([1, 28, 28, 4], 128), ([4, 12, 4, 2], 160), ([3, 16, 8, 4], 64)];

#[test]
fn tails_are_the_kernels_that_they_stand_for() {
    if !is_possible() {
        return;
    }
    for (sizes, k) in CASES {
        for (has_convolution, update) in [(true, true), (true, false), (false, true), (false, false)] {
            let case = Case::<f32>::new(sizes, k, has_convolution);
            let wanted = case.kernels(update);
            for (each, lines) in [(4, 1), (16, 1), (4, 2), (16, sizes[1] / sizes[3])] {
                let found = in_every_order(|| case.tail(each, lines, None, update));
                assert!(found == wanted, "{sizes:?}, convolution {has_convolution}, update {update}, {each} columns, {lines} lines");
            }
        }
    }
}

/// In bfloat16 nothing is rounded but what is read: the bits are those of the same numbers in float32, where the statistics are given.
#[test]
fn tails_in_bfloat16_round_nothing() {
    if !is_possible() {
        return;
    }
    for (sizes, k) in CASES {
        let (exact, rounded) = (Case::<f32>::new(sizes, k, true), Case::<bf16>::new(sizes, k, true));
        let parts = (0..exact.x.total()).flat_map(|r| exact.x.row(r)).collect::<Vec<_>>();
        let statistics = parts.chunks(32).flat_map(|part| {
            let mean = part.iter().sum::<f64>() / 32.0;
            [mean as f32, part.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() as f32]
        });
        let statistics = Buffer::from(&statistics.collect::<Vec<f32>>());
        let wanted = exact.tail(4, 1, Some(&statistics), true);
        assert!(in_every_order(|| rounded.tail(16, 2, Some(&statistics), true)) == wanted, "{sizes:?}");
        // By itself the kernel adds rows up in another order.
        let (given, own) = (rounded.tail(4, 1, Some(&statistics), false), rounded.tail(4, 1, None, false));
        let near = |a: &u32, b: &u32| (f32::from_bits(*a) - f32::from_bits(*b)).abs() <= 1e-3;
        assert!(given.iter().zip(&own).all(|(a, b)| near(a, b)), "{sizes:?}");
    }
}
