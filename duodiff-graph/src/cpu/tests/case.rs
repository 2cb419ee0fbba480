//! A program of a few operators, run on every instruction set, at several thread counts and batches.

use super::uvit::floats;
use crate::cpu::bench::Single;
use crate::cpu::{Isa, Options};
use crate::program::*;
use crate::weights::{Tensor, Weights};

/// A program under test; its per-image inputs are step tables.
pub struct Case {
    pub program: Program,
    pub weights: Weights,
    tables: usize,
}

impl Case {
    pub fn new() -> Self {
        let program = Program { name: "case".into(), values: vec![], ops: vec![], outputs: vec![] };
        Self { program, weights: Weights::default(), tables: 0 }
    }

    /// A per-image input `[rows, columns]`.
    pub fn input(&mut self, rows: usize, columns: usize) -> ValueId {
        self.tables += 1;
        self.program.add_value([rows, columns], Origin::StepTable(self.tables - 1))
    }

    /// A per-image input `[C, H, W]`.
    pub fn image(&mut self, shape: [usize; 3]) -> ValueId {
        self.tables += 1;
        self.program.add_value(shape, Origin::StepTable(self.tables - 1))
    }

    /// A parameter with reproducible values in [-1, 1].
    pub fn param(&mut self, shape: &[usize]) -> ValueId {
        let key = format!("p{}", self.program.values.len());
        let data = floats(77 + self.program.values.len() as u64, shape.iter().product());
        self.weights.tensors.insert(key.clone(), Tensor { shape: shape.to_vec(), data });
        self.program.add_value(shape, Origin::Param { key, shape: shape.to_vec() })
    }

    /// The values of a parameter.
    pub fn values(&self, id: ValueId) -> &[f32] {
        let Origin::Param { key, .. } = &self.program.value(id).origin else { panic!("{id} is a parameter") };
        &self.weights.tensors[key].data
    }

    /// A value that an operator writes.
    pub fn out(&mut self, shape: &[usize]) -> ValueId {
        self.program.add_value(shape, Origin::Op)
    }

    /// Adds the last operator.
    pub fn finish(&mut self, op: Op) {
        self.program.outputs.push(op.out());
        self.program.ops.push(op);
    }

    /// Reproducible inputs of `batch` images, one buffer per input.
    pub fn inputs(&self, batch: usize) -> Vec<Vec<f32>> {
        let sizes = self.program.values.iter().filter(|value| matches!(value.origin, Origin::StepTable(_)));
        sizes.enumerate().map(|(i, value)| floats(1000 + i as u64, batch * value.elements())).collect()
    }

    fn run(&self, isa: Isa, threads: usize, batch: usize, inputs: &[Vec<f32>], labels: &[u32]) -> Vec<f32> {
        let options = Options { batch, threads, isa: Some(isa) };
        let mut single = Single::new(self.program.clone(), self.weights.clone(), inputs, labels, options).expect("weights that fit");
        single.run();
        single.output().to_vec()
    }

    /// Runs at batch 3 everywhere, checks that nothing changes a bit, and that the result is close to `wanted` (float64).
    pub fn check(&self, tolerance: f64, wanted: impl Fn(&[Vec<f32>], usize) -> Vec<f64>) {
        let (batch, labels) = (3, [2, 0, 1]);
        let inputs = self.inputs(batch);
        let found = self.run(Isa::Portable, 1, batch, &inputs, &labels);
        for isa in Isa::available() {
            for threads in [1, 2, 5] {
                assert!(bits(&found) == bits(&self.run(isa, threads, batch, &inputs, &labels)), "{isa:?}, {threads} threads");
            }
        }
        let each = found.len() / batch;
        for image in 0..batch {
            let own: Vec<Vec<f32>> =
                inputs.iter().map(|input| input[image * input.len() / batch..][..input.len() / batch].to_vec()).collect();
            let alone = self.run(Isa::detect(), 2, 1, &own, &labels[image..=image]);
            let found = &found[image * each..(image + 1) * each];
            assert!(bits(found) == bits(&alone), "image {image} alone");
            let wanted = wanted(&own, labels[image] as usize);
            assert_eq!(wanted.len(), found.len());
            for (i, (found, wanted)) in found.iter().zip(&wanted).enumerate() {
                assert!((f64::from(*found) - wanted).abs() <= tolerance, "image {image}, element {i}: {found}, wanted {wanted}");
            }
        }
    }
}

/// The bits of floats, for comparisons that nothing escapes.
pub fn bits(x: &[f32]) -> Vec<u32> {
    x.iter().map(|x| x.to_bits()).collect()
}

/// A window of a value of `columns` columns, in float64.
pub fn window(data: &[f32], columns: usize, operand: &Operand) -> Vec<Vec<f64>> {
    let row = |r: usize| operand.columns.clone().map(|c| f64::from(data[r * columns + c])).collect();
    operand.rows.clone().map(row).collect()
}

/// Layer norm of a row in float64.
pub fn norm(row: &[f64], eps: f64, gain: Option<&[f32]>, shift: Option<&[f32]>) -> Vec<f64> {
    let count = row.len() as f64;
    let mean = row.iter().sum::<f64>() / count;
    let variance = row.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
    let one = |(i, x): (usize, &f64)| {
        let y = (x - mean) / (variance + eps).sqrt();
        y * gain.map_or(1.0, |gain| f64::from(gain[i])) + shift.map_or(0.0, |shift| f64::from(shift[i]))
    };
    row.iter().enumerate().map(one).collect()
}

/// An activation in float64.
pub fn activate(f: Activation, x: f64) -> f64 {
    match f {
        Activation::Gelu => 0.5 * x * (1.0 + libm::erf(x / 2f64.sqrt())),
        Activation::GeluTanh => 0.5 * x * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x.powi(3))).tanh()),
        Activation::Silu => x / (1.0 + (-x).exp()),
    }
}
