//! A `luminal::Graph` as plain nodes: functions, operands in order, views with sizes as numbers, readers.

use std::fmt;

use luminal::op;
use luminal::prelude::petgraph::Direction;
use luminal::prelude::petgraph::graph::NodeIndex;
use luminal::prelude::petgraph::visit::EdgeRef;
use luminal::prelude::symbolic::{BigExpression, Expression};
use luminal::prelude::{Dependency, Graph, ShapeTracker};

use super::RaiseError;
use crate::program::PrimitiveFn;

/// What a node computes.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind<S> {
    /// An input or a parameter.
    Load,
    /// A constant that is a size of the graph.
    Size(S),
    /// Any other operator.
    Function(PrimitiveFn),
}

impl fmt::Display for Kind<Option<usize>> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Load => write!(f, "Load"),
            Self::Size(Some(size)) => write!(f, "Constant({size})"),
            Self::Size(None) => write!(f, "Constant(batch)"),
            Self::Function(function) => write!(f, "{function:?}"),
        }
    }
}

/// One axis as an edge sees it: the stored length, padded with zeros, then sliced.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct EdgeAxis<S> {
    pub(super) length: S,
    pub(super) broadcast: bool,
    pub(super) padding: [S; 2],
    /// None is the whole axis.
    pub(super) slice: Option<[S; 2]>,
}

/// How a node reads another.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Edge<S> {
    pub(super) source: usize,
    /// In storage order.
    pub(super) axes: Vec<EdgeAxis<S>>,
    /// `order[i]` is the storage axis that is logical axis i.
    pub(super) order: Vec<usize>,
}

/// A node and what it reads, in operand order.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node<S> {
    pub(super) kind: Kind<S>,
    pub(super) operands: Vec<Edge<S>>,
}

/// Reads luminal's expressions as sizes.
pub(super) trait Sizes<S> {
    /// The size that an expression stands for.
    fn size(&self, expression: &Expression) -> Option<S>;
    /// A constant that is an expression.
    fn constant(&self, expression: &BigExpression) -> Option<S>;
}

/// All nodes, by index; as built, ascending order is topological and follows the source.
pub(super) fn nodes<S>(graph: &Graph, sizes: &impl Sizes<S>) -> Result<Vec<Node<S>>, RaiseError> {
    let dense = graph.graph.node_indices().enumerate().all(|(position, index)| position == index.index());
    if !dense {
        return Err(RaiseError::Rewritten);
    }
    graph.graph.node_indices().map(|index| node(graph, index, sizes)).collect()
}

fn node<S>(graph: &Graph, index: NodeIndex, sizes: &impl Sizes<S>) -> Result<Node<S>, RaiseError> {
    let mut operands = Vec::new();
    for edge in graph.graph.edges_directed(index, Direction::Incoming) {
        if let Dependency::Data { input_order, shape, .. } = edge.weight() {
            let axes = axes(shape, sizes).ok_or(RaiseError::Size { node: index.index() })?;
            operands.push((*input_order, Edge { source: edge.source().index(), axes, order: shape.indexes.to_vec() }));
        }
    }
    operands.sort_by_key(|(position, _)| *position);
    Ok(Node { kind: kind(graph, index, sizes)?, operands: operands.into_iter().map(|(_, edge)| edge).collect() })
}

fn axes<S>(shape: &ShapeTracker, sizes: &impl Sizes<S>) -> Option<Vec<EdgeAxis<S>>> {
    let unset = Expression::from(i32::MAX);
    let zero = Expression::from(0);
    (0..shape.dims.len())
        .map(|axis| {
            let (start, end) = &shape.slices[axis];
            let (before, after) = &shape.padding[axis];
            let sliced = *start != zero || *end != unset;
            Some(EdgeAxis {
                length: sizes.size(&shape.dims[axis])?,
                broadcast: shape.fake[axis],
                padding: [sizes.size(before)?, sizes.size(after)?],
                slice: if sliced { Some([sizes.size(start)?, sizes.size(end)?]) } else { None },
            })
        })
        .collect()
}

fn kind<S>(graph: &Graph, index: NodeIndex, sizes: &impl Sizes<S>) -> Result<Kind<S>, RaiseError> {
    let operator = graph.graph.node_weight(index).expect("invariant: the index comes from the graph");
    let any = operator.as_any();
    if any.is::<op::Function>() {
        return Ok(Kind::Load);
    }
    if let Some(constant) = any.downcast_ref::<op::Constant>() {
        return match &constant.0 {
            op::ConstantValue::Float(value) => Ok(Kind::Function(PrimitiveFn::Constant(*value))),
            op::ConstantValue::Expression(e) => sizes.constant(e).map(Kind::Size).ok_or(RaiseError::Size { node: index.index() }),
        };
    }
    if let Some(op::SumReduce(axis)) = any.downcast_ref() {
        return Ok(Kind::Function(PrimitiveFn::SumReduce(*axis)));
    }
    if let Some(op::MaxReduce(axis)) = any.downcast_ref() {
        return Ok(Kind::Function(PrimitiveFn::MaxReduce(*axis)));
    }
    let simple = [
        (any.is::<op::Contiguous>(), PrimitiveFn::Contiguous),
        (any.is::<op::Log2>(), PrimitiveFn::Log2),
        (any.is::<op::Exp2>(), PrimitiveFn::Exp2),
        (any.is::<op::Sin>(), PrimitiveFn::Sin),
        (any.is::<op::Sqrt>(), PrimitiveFn::Sqrt),
        (any.is::<op::Recip>(), PrimitiveFn::Recip),
        (any.is::<op::Add>(), PrimitiveFn::Add),
        (any.is::<op::Mul>(), PrimitiveFn::Mul),
        (any.is::<op::Mod>(), PrimitiveFn::Mod),
        (any.is::<op::LessThan>(), PrimitiveFn::LessThan),
    ];
    let found = simple.into_iter().find(|(is, _)| *is);
    found.map(|(_, f)| Kind::Function(f)).ok_or_else(|| RaiseError::Operator { node: index.index(), operator: format!("{operator:?}") })
}

/// For each node the nodes that read it, once per operand.
pub(super) fn readers<S>(nodes: &[Node<S>]) -> Vec<Vec<usize>> {
    let mut readers = vec![Vec::new(); nodes.len()];
    for (index, node) in nodes.iter().enumerate() {
        for edge in &node.operands {
            readers[edge.source].push(index);
        }
    }
    readers
}
