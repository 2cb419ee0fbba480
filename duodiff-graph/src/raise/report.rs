//! What raising recognised, and what it left and why.

use std::fmt;
use std::time::Duration;

/// The account of one raise.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Nodes of the primitive graph, inputs and parameters not counted.
    pub nodes: usize,
    /// Recognised operators and how often, in the order of the recognisers.
    pub recognised: Vec<(&'static str, usize)>,
    /// Nodes that stayed primitives.
    pub left: Vec<Left>,
    /// Operators that nearly were recognised; empty if nothing is left.
    pub refused: Vec<Refused>,
    /// How long it took.
    pub elapsed: Duration,
}

/// A node that stayed a primitive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// Its index in the primitive graph.
    pub node: usize,
    /// Its operator.
    pub primitive: String,
}

/// A near miss: at least half of the operator's template fitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The node that would be its result.
    pub node: usize,
    /// The operator.
    pub operator: &'static str,
    /// Where the template stopped fitting.
    pub reason: String,
}

impl Report {
    /// How often an operator was recognised.
    pub fn count(&self, operator: &str) -> usize {
        self.recognised.iter().filter(|(name, _)| *name == operator).map(|(_, count)| count).sum()
    }
}

impl fmt::Display for Report {
    /// Without the time, so that the text is reproducible.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operators: usize = self.recognised.iter().map(|(_, count)| count).sum();
        writeln!(f, "{} primitives: {operators} operators recognised, {} primitives left", self.nodes, self.left.len())?;
        for (name, count) in &self.recognised {
            writeln!(f, "  {count:4} {name}")?;
        }
        for refused in &self.refused {
            writeln!(f, "  node {} is no {}: {}", refused.node, refused.operator, refused.reason)?;
        }
        for left in &self.left {
            writeln!(f, "  node {} stays {}", left.node, left.primitive)?;
        }
        Ok(())
    }
}
