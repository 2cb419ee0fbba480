//! Builders: each operator as luminal's typed primitives. The expansion of `duodiff!` calls these.
//!
//! Every operator's primitives stand once, in a function `formula` over any sizes: the builder calls it with numbers, the
//! recogniser in `raise/` with letters. A tensor points into its builder's graph and must not outlive it.

mod activation;
mod arithmetic;
mod attention;
mod builder;
mod conv3x3;
mod cut;
mod embedding;
mod evaluate;
mod join;
mod linear;
mod norm;
mod patches;
mod softmax;
#[cfg(feature = "luminal-cuda")]
mod upstream;
mod view;

#[cfg(test)]
pub(crate) mod tests;

use luminal::prelude::{Const, Dyn, Graph, GraphTensor, Shape, ShapeTracker, petgraph::graph::NodeIndex};

pub use activation::{gelu, gelu_tanh, silu};
pub use arithmetic::{add, add_row, mul, mul_row, offset, scale};
pub use attention::attention;
pub use builder::Builder;
pub use conv3x3::conv3x3;
pub use cut::{columns, rows};
pub use embedding::embedding;
pub use join::{join_features, join_tokens};
pub use linear::{Bias, linear};
pub use norm::{norm, norm_affine};
pub use patches::{patch_embed, unpatchify};
pub use softmax::softmax;
#[cfg(feature = "luminal-cuda")]
pub use upstream::UpstreamError;

/// The primitives of each operator, for the recognisers.
pub(crate) mod formulas {
    pub(crate) use super::activation::{formula_gelu, formula_gelu_tanh, formula_silu};
    pub(crate) use super::arithmetic::{formula_add, formula_mul, formula_offset, formula_scale, spread_row};
    pub(crate) use super::attention::formula as formula_attention;
    pub(crate) use super::builder::spread_batch;
    pub(crate) use super::conv3x3::formula as formula_conv3x3;
    pub(crate) use super::cut::formula as formula_cut;
    pub(crate) use super::embedding::formula as formula_embedding;
    pub(crate) use super::join::formula as formula_join;
    pub(crate) use super::linear::{formula as formula_linear, formula_bias};
    pub(crate) use super::norm::{formula as formula_norm, formula_affine};
    pub(crate) use super::patches::{formula_patchify, formula_unpatchify};
    pub(crate) use super::softmax::formula as formula_softmax;
}

/// The batch axis.
pub type Batch = Dyn<'b'>;

/// `[L, D]` per image.
pub type Tokens<const L: usize, const D: usize> = Tensor<(Batch, Const<L>, Const<D>)>;

/// `[C, H, W]` per image.
pub type Image<const C: usize, const H: usize, const W: usize> = Tensor<(Batch, Const<C>, Const<H>, Const<W>)>;

/// A tensor of the graph. luminal's own takes 5 kB on the stack, so this one is boxed.
#[derive(Clone)]
pub struct Tensor<S: Shape>(pub(crate) Box<GraphTensor<S>>);

impl<S: Shape> Tensor<S> {
    /// Boxes a tensor of luminal.
    pub(crate) fn new(tensor: GraphTensor<S>) -> Self {
        Self(Box::new(tensor))
    }

    /// The tensor, laid out whole and in order: a parameter that is spread over the batch is copied.
    pub(crate) fn dense(&self) -> GraphTensor<S> {
        self.0.contiguous()
    }
}

/// A network as a `luminal::Graph` of primitive operators.
pub struct Built {
    /// The backbone's name.
    pub name: String,
    /// The graph. Boxed, because tensors and constants point into it.
    pub graph: Box<Graph>,
    /// Inputs and parameters: luminal itself knows neither their shapes nor their roles.
    pub loads: Vec<Load>,
    /// The node of the network's output, and its view.
    pub output: (NodeIndex, ShapeTracker),
}

/// An input or a parameter of a [`Built`] graph.
#[derive(Clone, Debug, PartialEq)]
pub struct Load {
    /// The node.
    pub node: NodeIndex,
    /// Shape of the program's value, without the batch axis.
    pub shape: Vec<usize>,
    /// What it holds.
    pub role: crate::program::Origin,
}
