//! The tensors of a run, and how an operator sees those of one image.

use std::sync::Arc;

use crate::program::{Operand, Program, ValueId};

/// A tensor in float64.
#[derive(Clone, Debug)]
pub(super) struct Tensor {
    /// `[B, shape…]`, or `[shape…]` if there is one for all images.
    pub data: Arc<Vec<f64>>,
    /// Elements from one image to the next: 0 if there is one for all images.
    pub stride: usize,
}

/// One image of a run.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    /// The program.
    pub program: &'a Program,
    /// By value.
    pub tensors: &'a [Option<Tensor>],
    /// Index of the image in the batch.
    pub image: usize,
}

/// A rectangular window of tokens, for reading.
pub(super) struct Window<'a> {
    data: &'a [f64],
    width: usize,
    operand: &'a Operand,
}

/// The tensor behind an id.
pub(super) fn tensor(tensors: &[Option<Tensor>], id: ValueId) -> &Tensor {
    tensors[id.index()].as_ref().expect("invariant: verified programs write before they read")
}

impl<'a> Scope<'a> {
    /// The whole of a value, of this image.
    pub fn whole(&self, id: ValueId) -> &'a [f64] {
        let Tensor { data, stride } = tensor(self.tensors, id);
        &data[self.image * stride..][..self.program.value(id).elements()]
    }

    /// A window of a value, of this image.
    pub fn window(&self, operand: &'a Operand) -> Window<'a> {
        Window { data: self.whole(operand.value), width: self.program.value(operand.value).shape[1], operand }
    }
}

impl<'a> Window<'a> {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.operand.rows.len()
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.operand.columns.len()
    }

    /// Row `index` of the window.
    pub fn row(&self, index: usize) -> &'a [f64] {
        let start = (self.operand.rows.start + index) * self.width;
        &self.data[start + self.operand.columns.start..start + self.operand.columns.end]
    }
}
