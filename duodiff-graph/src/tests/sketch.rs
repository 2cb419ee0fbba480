//! A pencil for writing programs by hand, in the form in which they are raised: one operator after the other, nothing fused.

use crate::program::{
    Activate, Activation, Affine, Attention, Binary, BinaryFn, Conv3x3, Embedding, Join, JoinAxis, Linear, Net, Norm, Op, Operand, Origin,
    Patchify, Program, RowNorm, Slice, Softmax, Unpatchify, ValueId,
};
use crate::weights::{Tensor, Weights};

/// A program being written. Every method appends one operator and returns the value that it writes.
pub struct Sketch {
    /// The program so far.
    pub program: Program,
}

impl Sketch {
    pub fn new(name: &str) -> Self {
        Self { program: Program { name: name.into(), values: vec![], ops: vec![], outputs: vec![] } }
    }

    /// The net whose body this is, with an empty prelude.
    pub fn finish(mut self, outputs: &[ValueId]) -> Net {
        self.program.outputs = outputs.to_vec();
        Net::unsplit(self.program)
    }

    pub fn value(&mut self, shape: &[usize], origin: Origin) -> ValueId {
        self.program.add_value(shape, origin)
    }

    /// Tokens of which there is one tensor per image, for tests of operators: a step table.
    pub fn table(&mut self, index: usize, rows: usize, columns: usize) -> ValueId {
        self.value(&[rows, columns], Origin::StepTable(index))
    }

    pub fn param(&mut self, key: &str, shape: &[usize]) -> ValueId {
        self.value(shape, Origin::Param { key: key.into(), shape: shape.to_vec() })
    }

    pub fn whole(&self, id: ValueId) -> Operand {
        self.program.whole(id)
    }

    fn shape(&self, id: ValueId) -> [usize; 2] {
        self.whole(id).shape()
    }

    /// A new value of the given shape, written by the operator that `op` makes.
    fn push(&mut self, shape: &[usize], op: impl FnOnce(ValueId) -> Op) -> ValueId {
        let out = self.value(shape, Origin::Op);
        self.program.ops.push(op(out));
        out
    }

    pub fn linear(&mut self, x: ValueId, key: &str, width: usize, with_bias: bool) -> ValueId {
        let [rows, depth] = self.shape(x);
        let weight = self.param(&format!("{key}.weight"), &[width, depth]);
        let bias = with_bias.then(|| self.param(&format!("{key}.bias"), &[width]));
        let sources = vec![self.whole(x)];
        self.push(&[rows, width], |out| Op::Linear(Linear { sources, norm: None, weight, bias, activation: None, residual: None, out }))
    }

    pub fn norm(&mut self, x: ValueId, key: &str) -> ValueId {
        let width = self.shape(x)[1];
        let gain = Some(self.param(&format!("{key}.weight"), &[width]));
        let shift = Some(self.param(&format!("{key}.bias"), &[width]));
        let (shape, x) = (self.shape(x), self.whole(x));
        self.push(&shape, |out| Op::Norm(Norm { x, norm: RowNorm { eps: 1e-5, gain, shift }, out }))
    }

    pub fn plain_norm(&mut self, x: ValueId) -> ValueId {
        let (shape, x) = (self.shape(x), self.whole(x));
        self.push(&shape, |out| Op::Norm(Norm { x, norm: RowNorm { eps: 1e-6, gain: None, shift: None }, out }))
    }

    pub fn attention(&mut self, q: ValueId, k: ValueId, v: ValueId, heads: usize) -> ValueId {
        let shape = self.shape(q);
        let scale = ((shape[1] / heads) as f32).sqrt().recip();
        let (q, k, v) = (self.whole(q), self.whole(k), self.whole(v));
        self.push(&shape, |out| Op::Attention(Attention { q, k, v, heads, scale, out }))
    }

    pub fn activate(&mut self, x: ValueId, f: Activation) -> ValueId {
        let (shape, x) = (self.shape(x), self.whole(x));
        self.push(&shape, |out| Op::Activate(Activate { x, f, out }))
    }

    pub fn softmax(&mut self, x: ValueId) -> ValueId {
        let (shape, x) = (self.shape(x), self.whole(x));
        self.push(&shape, |out| Op::Softmax(Softmax { x, out }))
    }

    pub fn binary(&mut self, f: BinaryFn, a: ValueId, b: ValueId) -> ValueId {
        let shape = self.shape(a);
        let (a, b) = (self.whole(a), self.whole(b));
        self.push(&shape, |out| Op::Binary(Binary { f, a, b, out }))
    }

    pub fn add(&mut self, a: ValueId, b: ValueId) -> ValueId {
        self.binary(BinaryFn::Add, a, b)
    }

    pub fn mul(&mut self, a: ValueId, b: ValueId) -> ValueId {
        self.binary(BinaryFn::Mul, a, b)
    }

    pub fn affine(&mut self, x: ValueId, scale: f32, offset: f32) -> ValueId {
        let (shape, x) = (self.shape(x), self.whole(x));
        self.push(&shape, |out| Op::Affine(Affine { x, scale, offset, out }))
    }

    pub fn join(&mut self, axis: JoinAxis, parts: &[ValueId]) -> ValueId {
        let shapes: Vec<_> = parts.iter().map(|part| self.shape(*part)).collect();
        let shape = match axis {
            JoinAxis::Rows => [shapes.iter().map(|shape| shape[0]).sum(), shapes[0][1]],
            JoinAxis::Columns => [shapes[0][0], shapes.iter().map(|shape| shape[1]).sum()],
        };
        let parts = parts.iter().map(|part| self.whole(*part)).collect();
        self.push(&shape, |out| Op::Join(Join { axis, parts, out }))
    }

    pub fn columns(&mut self, x: ValueId, columns: std::ops::Range<usize>) -> ValueId {
        let rows = self.shape(x)[0];
        let x = self.whole(x).window(0..rows, columns);
        self.push(&x.shape(), |out| Op::Slice(Slice { x: x.clone(), out }))
    }

    pub fn rows(&mut self, x: ValueId, rows: std::ops::Range<usize>) -> ValueId {
        let columns = self.shape(x)[1];
        let x = self.whole(x).window(rows, 0..columns);
        self.push(&x.shape(), |out| Op::Slice(Slice { x: x.clone(), out }))
    }

    pub fn embedding(&mut self, label: ValueId, key: &str, classes: usize, width: usize) -> ValueId {
        let table = self.param(&format!("{key}.weight"), &[classes, width]);
        self.push(&[1, width], |out| Op::Embedding(Embedding { label, table, out }))
    }

    pub fn patchify(&mut self, image: ValueId, patch: usize) -> ValueId {
        let shape = self.program.value(image).shape.clone();
        let rows = shape[1] / patch * (shape[2] / patch);
        self.push(&[rows, shape[0] * patch * patch], |out| Op::Patchify(Patchify { image, patch, out }))
    }

    pub fn unpatchify(&mut self, x: ValueId, patch: usize, image: &[usize]) -> ValueId {
        let x = self.whole(x);
        self.push(image, |out| Op::Unpatchify(Unpatchify { x, patch, out }))
    }

    pub fn conv3x3(&mut self, x: ValueId, key: &str, channels: usize) -> ValueId {
        let shape = self.program.value(x).shape.clone();
        let weight = self.param(&format!("{key}.weight"), &[channels, shape[0], 3, 3]);
        let bias = self.param(&format!("{key}.bias"), &[channels]);
        self.push(&[channels, shape[1], shape[2]], |out| Op::Conv3x3(Conv3x3 { x, weight, bias, out }))
    }
}

/// Reproducible numbers in −1..1, from a splitmix generator.
pub fn random(seed: u64, count: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 40) as f32 / 8_388_608.0 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

/// Random values for every parameter of a net.
pub fn random_weights(net: &Net, seed: u64) -> Weights {
    let mut weights = Weights::default();
    for program in [&net.prelude, &net.body] {
        for (index, (_, key, shape)) in program.params().enumerate() {
            let data = random(seed + index as u64, shape.iter().product());
            weights.tensors.insert(key.into(), Tensor { shape: shape.to_vec(), data });
        }
    }
    weights
}
