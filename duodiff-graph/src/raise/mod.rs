//! From luminal's primitive graph to a program of named operators.
//!
//! Recognisers are templates written with the builders' own formulas. They are tried on every node from the last to the first, the
//! largest first; what none of them claims stays a primitive operator, which runs, correct and slow.

mod emit;
mod matching;
mod nodes;
mod primitives;
mod recognise;
mod report;
mod sizes;
mod template;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

pub use recognise::Recognisers;
pub use report::{Left, Refused, Report};

use crate::build::Built;
use crate::program::Program;
use emit::Emitter;
use matching::{Attempt, Found};
use nodes::{Kind, Sizes};
use primitives::Primitives;
use sizes::Numbers;

/// A program and the account of its making.
#[derive(Clone, Debug, PartialEq)]
pub struct Raised {
    /// The backbone; its prelude is still empty.
    pub program: Program,
    /// What was recognised and what was not.
    pub report: Report,
}

/// A graph that cannot be a program at all. The builders never make one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RaiseError {
    /// An operator of another crate.
    #[error("node {node} is {operator}, which is no primitive of luminal: build the backbone from this crate's operators")]
    Operator {
        /// Index in the graph.
        node: usize,
        /// Its debug text.
        operator: String,
    },
    /// A size that depends on the batch or on a letter.
    #[error("a size at node {node} is neither a number nor the batch: give every axis a size")]
    Size {
        /// Index in the graph.
        node: usize,
    },
    /// Images of a batch would mix.
    #[error("the result of node {node} reduces the batch axis or does not have it first: images of a batch must stay apart")]
    Batch {
        /// Index in the graph.
        node: usize,
    },
    /// A view that does not fit what it reads.
    #[error("node {node} reads an operand of another size than was written")]
    View {
        /// Index in the graph.
        node: usize,
    },
    /// A load that the builder does not know.
    #[error("node {node} loads something that is neither an input nor a parameter: make loads with the builder")]
    Load {
        /// Index in the graph.
        node: usize,
    },
    /// Two parameters of one key.
    #[error("parameter \"{key}\" is used with two shapes: give one of them another key")]
    Key {
        /// The key.
        key: String,
    },
    /// A node before its operand.
    #[error("node {node} is read before it is computed: raise the graph as built, before any compiler of luminal")]
    Order {
        /// Index in the graph.
        node: usize,
    },
    /// Nodes were removed.
    #[error("nodes are missing from the graph: raise the graph as built, before any compiler of luminal")]
    Rewritten,
}

/// Raises a backbone with all recognisers.
pub fn raise(built: &Built) -> Result<Raised, RaiseError> {
    let start = Instant::now();
    let mut raised = raise_with(built, &Recognisers::all())?;
    raised.report.elapsed = start.elapsed();
    Ok(raised)
}

/// Raises a backbone with a choice of recognisers.
pub fn raise_with(built: &Built, recognisers: &Recognisers) -> Result<Raised, RaiseError> {
    let start = Instant::now();
    let primitives = Primitives::new(built)?;
    let (claims, near_misses) = claim(&primitives, recognisers);
    let mut emitter = Emitter::new(&built.name, &primitives);
    for (node, claim) in claims.iter().enumerate() {
        match claim {
            Claim::Root(recogniser, found) => emitter.operator(node, &recognisers.list[*recogniser], found)?,
            Claim::None if primitives.load(node).is_some() => emitter.load(node),
            Claim::None if primitives.live[node] => emitter.primitive(node)?,
            Claim::None | Claim::Inner => {}
        }
    }
    let (program, copies) = emitter.finish(built.output.0.index(), &output_shape(built)?)?;
    let mut report = report(&primitives, recognisers, &claims, &near_misses);
    report.left.extend(copies.into_iter().map(|node| Left { node, primitive: "Contiguous (an operand in another shape)".to_owned() }));
    report.elapsed = start.elapsed();
    Ok(Raised { program, report })
}

/// The output's shape without the batch.
fn output_shape(built: &Built) -> Result<Vec<usize>, RaiseError> {
    let node = built.output.0.index();
    let sizes = built.output.1.dims.iter().map(|size| Numbers.size(size)).collect::<Option<Vec<_>>>().ok_or(RaiseError::Size { node })?;
    Ok(sizes.into_iter().flatten().collect())
}

/// What became of a node.
enum Claim {
    /// The result of an operator: which recogniser, and where.
    Root(usize, Found),
    /// Inside an operator.
    Inner,
    /// No recogniser's.
    None,
}

/// A recogniser that nearly fitted.
struct NearMiss {
    node: usize,
    recogniser: usize,
    attempt: Attempt,
}

fn claim(primitives: &Primitives, recognisers: &Recognisers) -> (Vec<Claim>, Vec<NearMiss>) {
    let mut claims: Vec<Claim> = primitives.nodes.iter().map(|_| Claim::None).collect();
    let mut near_misses = Vec::new();
    for node in (0..claims.len()).rev() {
        let open = primitives.live[node] && primitives.load(node).is_none() && matches!(claims[node], Claim::None);
        if !open {
            continue;
        }
        let (fit, near_miss) = first_fit(primitives, recognisers, node);
        near_misses.extend(near_miss);
        if let Some((recogniser, found)) = fit {
            found.inner.iter().for_each(|&inner| claims[inner] = Claim::Inner);
            claims[node] = Claim::Root(recogniser, found);
        }
    }
    near_misses.reverse();
    (claims, near_misses)
}

/// The first recogniser that fits, and the one that came closest among the larger ones.
fn first_fit(primitives: &Primitives, recognisers: &Recognisers, node: usize) -> (Option<(usize, Found)>, Option<NearMiss>) {
    let mut closest: Option<NearMiss> = None;
    for (recogniser, candidate) in recognisers.list.iter().enumerate() {
        match candidate.fit(primitives, node) {
            Ok(found) => return (Some((recogniser, found)), closest),
            Err(attempt) => {
                let best = closest.as_ref().map_or(0, |known| known.attempt.fitted);
                if attempt.fitted > best && 2 * attempt.fitted >= candidate.pattern.operators() {
                    closest = Some(NearMiss { node, recogniser, attempt });
                }
            }
        }
    }
    (None, closest)
}

fn report(primitives: &Primitives, recognisers: &Recognisers, claims: &[Claim], near_misses: &[NearMiss]) -> Report {
    let mut recognised: BTreeMap<&'static str, usize> = BTreeMap::new();
    let mut left = Vec::new();
    for (node, claim) in claims.iter().enumerate() {
        match claim {
            Claim::Root(recogniser, _) => *recognised.entry(recognisers.list[*recogniser].name).or_default() += 1,
            Claim::None if primitives.live[node] && primitives.load(node).is_none() => {
                left.push(Left { node, primitive: primitives.nodes[node].kind.to_string() });
            }
            Claim::None | Claim::Inner => {}
        }
    }
    let refused = |near: &NearMiss| Refused {
        node: near.node,
        operator: recognisers.list[near.recogniser].name,
        reason: near.attempt.refusal.to_string(),
    };
    let refused = if left.is_empty() { Vec::new() } else { near_misses.iter().map(refused).collect() };
    let nodes = primitives.nodes.iter().filter(|node| !matches!(node.kind, Kind::Load)).count();
    Report { nodes, recognised: recognised.into_iter().collect(), left, refused, elapsed: Duration::ZERO }
}
