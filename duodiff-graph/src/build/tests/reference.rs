//! The operators once more as plain float64 loops over one image, and reproducible values to feed them.

use crate::build::{Builder, Built, Load, Tensor, Tokens};
use crate::program::Origin;

/// Row-major numbers of `rows` rows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Rows {
    pub(crate) columns: usize,
    pub(crate) data: Vec<f64>,
}

impl Rows {
    pub(crate) fn new(columns: usize, data: Vec<f64>) -> Self {
        assert_eq!(data.len() % columns, 0);
        Self { columns, data }
    }

    pub(crate) fn count(&self) -> usize {
        self.data.len() / self.columns
    }

    pub(crate) fn row(&self, row: usize) -> &[f64] {
        &self.data[row * self.columns..][..self.columns]
    }

    /// Each row replaced by a function of it.
    pub(crate) fn each_row(&self, f: impl Fn(&[f64]) -> Vec<f64>) -> Self {
        let rows: Vec<Vec<f64>> = (0..self.count()).map(|row| f(self.row(row))).collect();
        Self::new(rows[0].len(), rows.concat())
    }

    pub(crate) fn each(&self, f: impl Fn(f64) -> f64) -> Self {
        Self::new(self.columns, self.data.iter().map(|&x| f(x)).collect())
    }

    pub(crate) fn with(&self, other: &Self, f: impl Fn(f64, f64) -> f64) -> Self {
        assert_eq!(self.data.len(), other.data.len());
        Self::new(self.columns, self.data.iter().zip(&other.data).map(|(&a, &b)| f(a, b)).collect())
    }

    /// Columns `start..start + count`.
    pub(crate) fn cut(&self, start: usize, count: usize) -> Self {
        self.each_row(|row| row[start..start + count].to_vec())
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

pub(crate) fn linear(x: &Rows, weight: &Rows, bias: Option<&[f64]>) -> Rows {
    let product = |row: &[f64]| (0..weight.count()).map(|o| dot(row, weight.row(o)) + bias.map_or(0.0, |bias| bias[o])).collect();
    x.each_row(product)
}

pub(crate) fn norm(x: &Rows, eps: f64) -> Rows {
    x.each_row(|row| {
        let mean = row.iter().sum::<f64>() / row.len() as f64;
        let variance = row.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / row.len() as f64;
        row.iter().map(|x| (x - mean) / (variance + eps).sqrt()).collect()
    })
}

pub(crate) fn softmax(x: &Rows) -> Rows {
    x.each_row(|row| {
        let total: f64 = row.iter().map(|x| x.exp()).sum();
        row.iter().map(|x| x.exp() / total).collect()
    })
}

pub(crate) fn attention(q: &Rows, k: &Rows, v: &Rows, heads: usize) -> Rows {
    let width = q.columns / heads;
    let mut out = vec![0.0; q.data.len()];
    for head in 0..heads {
        let part = |x: &Rows| x.cut(head * width, width);
        let (keys, values) = (part(k), part(v));
        let weights = softmax(&linear(&part(q), &keys, None).each(|x| x / (width as f64).sqrt()));
        for row in 0..q.count() {
            for column in 0..width {
                out[row * q.columns + head * width + column] = (0..k.count()).map(|m| weights.row(row)[m] * values.row(m)[column]).sum();
            }
        }
    }
    Rows::new(q.columns, out)
}

pub(crate) fn gelu(x: f64) -> f64 {
    0.5 * x * libm::erfc(-x / std::f64::consts::SQRT_2)
}

pub(crate) fn gelu_tanh(x: f64) -> f64 {
    0.5 * x * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x.powi(3))).tanh())
}

pub(crate) fn silu(x: f64) -> f64 {
    x / (1.0 + (-x).exp())
}

/// `[C, H, W]` → `[N, C·P·P]`.
pub(crate) fn patchify(image: &[f64], [c, h, w]: [usize; 3], p: usize) -> Rows {
    let mut out = Vec::new();
    for (i, j) in (0..h / p).flat_map(|i| (0..w / p).map(move |j| (i, j))) {
        for (c, y, x) in (0..c).flat_map(|c| (0..p).flat_map(move |y| (0..p).map(move |x| (c, y, x)))) {
            out.push(image[(c * h + i * p + y) * w + j * p + x]);
        }
    }
    Rows::new(c * p * p, out)
}

/// `[N, P·P·C]` → `[C, H, W]`.
pub(crate) fn unpatchify(x: &Rows, [c, h, w]: [usize; 3], p: usize) -> Vec<f64> {
    let mut out = vec![0.0; c * h * w];
    for (y, column, channel) in (0..h).flat_map(|y| (0..w).flat_map(move |x| (0..c).map(move |c| (y, x, c)))) {
        let token = x.row(y / p * (w / p) + column / p);
        out[(channel * h + y) * w + column] = token[(y % p * p + column % p) * c + channel];
    }
    out
}

pub(crate) fn conv3x3(image: &[f64], [c, h, w]: [usize; 3], weight: &[f64], bias: &[f64]) -> Vec<f64> {
    let mut out = Vec::new();
    for (o, y, x) in (0..bias.len()).flat_map(|o| (0..h).flat_map(move |y| (0..w).map(move |x| (o, y, x)))) {
        let mut sum = bias[o];
        for (c_in, dy, dx) in (0..c).flat_map(|c| (0..3).flat_map(move |dy| (0..3).map(move |dx| (c, dy, dx)))) {
            let (row, column) = ((y + dy).wrapping_sub(1), (x + dx).wrapping_sub(1));
            if row < h && column < w {
                sum += weight[((o * c + c_in) * 3 + dy) * 3 + dx] * image[(c_in * h + row) * w + column];
            }
        }
        out.push(sum);
    }
    out
}

/// Numbers in ±2, a function of the name and the position.
pub(crate) fn numbers(name: &str, count: usize) -> Vec<f32> {
    let mut state = name.bytes().fold(0x9e37_79b9_u32, |state, byte| (state ^ u32::from(byte)).wrapping_mul(0x0100_0193)) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state
    };
    (0..count).map(|_| next() as f32 / u32::MAX as f32 * 4.0 - 2.0).collect()
}

/// What a load is fed in the tests: labels 0, 1, 2, …; everything else by [`numbers`].
pub(crate) fn fed(load: &Load, batch: usize) -> Vec<f32> {
    let count: usize = load.shape.iter().product();
    match &load.role {
        Origin::Param { key, .. } => numbers(key, count),
        Origin::Label => (0..batch).map(|image| image as f32).collect(),
        role => numbers(&format!("{role:?}"), count * batch),
    }
}

/// The numbers of [`fed`] for image `image`, in float64.
pub(crate) fn fed_image(built: &Built, role: &Origin, batch: usize, image: usize) -> Vec<f64> {
    let load = built.loads.iter().find(|load| load.role == *role).unwrap();
    let count: usize = load.shape.iter().product();
    fed(load, batch)[image * count..][..count].iter().map(|&x| f64::from(x)).collect()
}

/// The numbers of a parameter, in float64.
pub(crate) fn parameter(key: &str, count: usize) -> Vec<f64> {
    numbers(key, count).into_iter().map(f64::from).collect()
}

/// Tokens that are an input of their own, so that an operator can be built alone.
pub(crate) fn input<const L: usize, const D: usize>(b: &mut Builder, index: usize) -> Tokens<L, D> {
    Tensor::new(b.load("table", vec![L, D], Origin::StepTable(index)))
}
