//! A built backbone as plain nodes, with what luminal does not know: roles, batches, readers, liveness.

use super::RaiseError;
use super::nodes::{Kind, Node, nodes, readers};
use super::sizes::{Numbers, Size};
use crate::build::{Built, Load};
use crate::program::{Origin, PrimitiveFn};

/// The primitive graph of one backbone.
pub(super) struct Primitives<'a> {
    pub(super) nodes: Vec<Node<Size>>,
    /// By node: its result depends on the image.
    pub(super) batched: Vec<bool>,
    /// By node: the output depends on it. Readers that are not live do not count.
    pub(super) live: Vec<bool>,
    /// By node: its result is an output.
    pub(super) kept: Vec<bool>,
    /// By node: the live nodes that read it.
    pub(super) readers: Vec<Vec<usize>>,
    loads: Vec<Option<&'a Load>>,
}

impl<'a> Primitives<'a> {
    /// Reads and checks a built backbone.
    pub(super) fn new(built: &'a Built) -> Result<Self, RaiseError> {
        let nodes = nodes(&built.graph, &Numbers)?;
        let mut loads = vec![None; nodes.len()];
        for load in &built.loads {
            loads[load.node.index()] = Some(load);
        }
        distinct_keys(&built.loads)?;
        let root = built.output.0.index();
        let live = live(&nodes, root);
        let mut readers = readers(&nodes);
        readers.iter_mut().for_each(|readers| readers.retain(|&reader| live[reader]));
        let mut kept = vec![false; nodes.len()];
        built.graph.to_retrieve.iter().for_each(|node| kept[node.index()] = true);
        kept[root] = true;
        let mut this = Self { batched: Vec::with_capacity(nodes.len()), nodes, live, kept, readers, loads };
        for node in 0..this.nodes.len() {
            let batched = this.batch(node)?;
            this.batched.push(batched);
        }
        Ok(this)
    }

    /// The input or parameter that a node loads.
    pub(super) fn load(&self, node: usize) -> Option<&'a Load> {
        self.loads[node]
    }

    /// What a load holds.
    pub(super) fn role(&self, node: usize) -> Option<&'a Origin> {
        self.load(node).map(|load| &load.role)
    }

    /// Whether a node's result has a batch axis, which must be the first.
    fn batch(&self, node: usize) -> Result<bool, RaiseError> {
        let Node { kind, operands } = &self.nodes[node];
        let f = match kind {
            Kind::Load => {
                let load = self.load(node).ok_or(RaiseError::Load { node })?;
                return Ok(!matches!(load.role, Origin::Param { .. }));
            }
            Kind::Size(_) => return Ok(false),
            Kind::Function(f) => f,
        };
        let Some(first) = operands.first() else { return Ok(false) };
        if f.is_unary() {
            return Ok(self.batched[first.source]);
        }
        let mut shape = first.logical();
        if let PrimitiveFn::SumReduce(axis) | PrimitiveFn::MaxReduce(axis) = f
            && shape.remove(*axis).is_none()
        {
            return Err(RaiseError::Batch { node });
        }
        match shape.iter().rposition(Option::is_none) {
            None => Ok(false),
            Some(0) => Ok(true),
            Some(_) => Err(RaiseError::Batch { node }),
        }
    }
}

/// Two loads of one key would be two parameters of one name.
fn distinct_keys(loads: &[Load]) -> Result<(), RaiseError> {
    let mut keys: Vec<&str> = loads
        .iter()
        .filter_map(|load| match &load.role {
            Origin::Param { key, .. } => Some(key.as_str()),
            _ => None,
        })
        .collect();
    keys.sort_unstable();
    match keys.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(RaiseError::Key { key: pair[0].to_owned() }),
        None => Ok(()),
    }
}

fn live(nodes: &[Node<Size>], root: usize) -> Vec<bool> {
    let mut live = vec![false; nodes.len()];
    live[root] = true;
    for index in (0..=root).rev() {
        if live[index] {
            nodes[index].operands.iter().for_each(|edge| live[edge.source] = true);
        }
    }
    live
}
