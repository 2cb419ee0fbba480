//! The graph under construction and the table of its inputs and parameters.

use luminal::prelude::{Axis, Const, Dimension, Graph, GraphTensor, Shape};

use super::{Batch, Built, Image, Load, Tensor, Tokens};
use crate::program::Origin;

/// Builds one backbone.
pub struct Builder {
    name: String,
    graph: Box<Graph>,
    loads: Vec<Load>,
}

impl Builder {
    /// An empty backbone of this name.
    pub fn new(backbone: &str) -> Self {
        Self { name: backbone.to_owned(), graph: Box::new(Graph::new()), loads: Vec::new() }
    }

    /// The noisy image x_t, `[C, H, W]`.
    pub fn image<const C: usize, const H: usize, const W: usize>(&mut self) -> Image<C, H, W> {
        Tensor::new(self.load("image", vec![C, H, W], Origin::Image))
    }

    /// The sinusoidal embedding of the time, `[1, D]`; computed on the host.
    pub fn sinusoid<const D: usize>(&mut self) -> Tokens<1, D> {
        Tensor::new(self.load("sinusoid", vec![1, D], Origin::Sinusoid))
    }

    /// A parameter as tokens `[L, D]`; `shape` is that of the checkpoint, e.g. `[1, L, D]`.
    #[inline(never)]
    pub fn param<const L: usize, const D: usize>(&mut self, key: &str, shape: &[usize]) -> Tokens<L, D> {
        Tensor::new(spread_batch(self.parameter::<(Const<L>, Const<D>)>(key, vec![L, D], shape)))
    }

    /// The backbone, whole, with its output.
    pub fn finish<const C: usize, const H: usize, const W: usize>(self, output: &Image<C, H, W>) -> Built {
        self.close(output)
    }

    /// [`Self::finish`] for an output of any rank.
    #[inline(never)]
    pub(crate) fn close<S: Shape>(mut self, output: &Tensor<S>) -> Built {
        let output = output.dense();
        self.graph.retrieve_tensors(output.id);
        Built { name: self.name, graph: self.graph, loads: self.loads, output: (output.id, output.shape) }
    }

    /// The class label, one number per image.
    pub(crate) fn label(&mut self) -> GraphTensor<(Batch,)> {
        self.load("label", Vec::new(), Origin::Label)
    }

    /// A parameter as luminal sees it: `S` and `value` hold as many elements as `checkpoint`, in the same order.
    pub(crate) fn parameter<S: Shape>(&mut self, key: &str, value: Vec<usize>, checkpoint: &[usize]) -> GraphTensor<S> {
        self.load(key, value, Origin::Param { key: key.to_owned(), shape: checkpoint.to_vec() })
    }

    /// An input or parameter; a second use of the same one gives the same node.
    pub(crate) fn load<S: Shape>(&mut self, name: &str, shape: Vec<usize>, role: Origin) -> GraphTensor<S> {
        let known = self.loads.iter().find(|load| load.role == role && load.shape == shape);
        if let Some(load) = known {
            return GraphTensor::from_id(load.node, S::to_tracker(), &mut *self.graph);
        }
        let tensor = self.graph.named_tensor::<S>(name);
        self.loads.push(Load { node: tensor.id, shape, role });
        tensor
    }
}

/// One `[L, D]` for every image of the batch.
pub(crate) fn spread_batch<L: Dimension, D: Dimension>(x: GraphTensor<(L, D)>) -> GraphTensor<(Batch, L, D)> {
    x.expand::<(Batch, L, D), Axis<0>>()
}
