//! Templates: an operator written with the builders' own formulas, letters for sizes and holes for inputs.

use luminal::prelude::{Graph, GraphTensor, Shape};

use super::nodes::{Kind, Node, nodes};
use super::sizes::{Letter, Letters};
use crate::build::Batch;
use crate::program::PrimitiveFn;

/// What may fill a hole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hole {
    /// A value per image.
    Batched,
    /// A parameter.
    Parameter,
    /// The label.
    Label,
}

/// A number that the recogniser reads off the graph.
pub(super) const ANY: f32 = f32::NAN;

/// A template under construction.
pub(super) struct Template {
    graph: Box<Graph>,
    holes: Vec<(usize, Hole)>,
}

/// A template as plain nodes; the last computes the operator's result.
#[derive(Debug)]
pub(super) struct Pattern {
    pub(super) nodes: Vec<Node<Letter>>,
    /// Node and kind of every hole, in the order of their making.
    pub(super) holes: Vec<(usize, Hole)>,
    /// Constants that may have any value.
    pub(super) captures: Vec<usize>,
    /// The node of the result.
    pub(super) root: usize,
}

impl Pattern {
    /// How many nodes are no holes.
    pub(super) fn operators(&self) -> usize {
        self.nodes.len() - self.holes.len()
    }
}

impl Template {
    /// The pattern of the primitives that `operator` makes.
    pub(super) fn pattern<S: Shape>(operator: impl FnOnce(&mut Self) -> GraphTensor<S>) -> Pattern {
        let mut template = Self { graph: Box::new(Graph::new()), holes: Vec::new() };
        let root = operator(&mut template).id.index();
        let nodes = nodes(&template.graph, &Letters).expect("invariant: templates are made of primitives and letters");
        let any = |node: &Node<Letter>| matches!(node.kind, Kind::Function(PrimitiveFn::Constant(value)) if value.is_nan());
        let captures = (0..nodes.len()).filter(|&index| any(&nodes[index])).collect();
        Pattern { nodes, holes: template.holes, captures, root }
    }

    /// A hole for a value per image.
    #[inline(never)]
    pub(super) fn batched<S: Shape>(&mut self) -> GraphTensor<S> {
        self.hole(Hole::Batched)
    }

    /// A hole for a parameter.
    #[inline(never)]
    pub(super) fn parameter<S: Shape>(&mut self) -> GraphTensor<S> {
        self.hole(Hole::Parameter)
    }

    /// A hole for the label.
    pub(super) fn label(&mut self) -> GraphTensor<(Batch,)> {
        self.hole(Hole::Label)
    }

    fn hole<S: Shape>(&mut self, hole: Hole) -> GraphTensor<S> {
        let tensor = self.graph.named_tensor::<S>("hole");
        self.holes.push((tensor.id.index(), hole));
        tensor
    }
}
