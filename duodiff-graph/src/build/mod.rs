//! Builders: each operator as luminal's typed primitives. The expansion of `duodiff!` calls these.

use luminal::prelude::{Dyn, Graph, GraphTensor, Shape, ShapeTracker, petgraph::graph::NodeIndex};

/// The batch axis.
pub type Batch = Dyn<'b'>;

/// A tensor of the graph. luminal's own takes 5 kB on the stack, so this one is boxed.
#[derive(Clone)]
pub struct Tensor<S: Shape>(pub(crate) Box<GraphTensor<S>>);

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
pub struct Load {
    /// The node.
    pub node: NodeIndex,
    /// Shape without the batch axis.
    pub shape: Vec<usize>,
    /// What it holds.
    pub role: crate::program::Origin,
}
