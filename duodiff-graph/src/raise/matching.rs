//! Finds a template in a built graph: same primitives, same sharing, views equal once letters stand for numbers.

use std::fmt;

use luminal::prelude::symbolic::BigExpression;

use super::nodes::{Edge, EdgeAxis, Kind};
use super::primitives::Primitives;
use super::sizes::{Letter, Size};
use super::template::{Hole, Pattern};
use crate::program::{Origin, PrimitiveFn};

/// Where a template fits.
#[derive(Debug)]
pub(super) struct Found {
    /// Nodes of the graph that fill the holes.
    pub(super) holes: Vec<usize>,
    /// Nodes of the graph that the operator stands for, the root included.
    pub(super) inner: Vec<usize>,
    letters: Vec<(char, usize)>,
    captures: Vec<f32>,
}

impl Found {
    /// The number that a letter stands for.
    pub(super) fn size(&self, letter: char) -> usize {
        let found = self.letters.iter().find(|(known, _)| *known == letter);
        found.expect("invariant: the template uses this letter").1
    }

    /// The numbers of several letters.
    pub(super) fn sizes<const N: usize>(&self, letters: [char; N]) -> [usize; N] {
        letters.map(|letter| self.size(letter))
    }

    /// The value of the template's only free constant.
    pub(super) fn constant(&self) -> f32 {
        self.captures[0]
    }
}

/// Why a template does not fit.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Refusal {
    /// Another primitive.
    Function { node: usize },
    /// Another constant.
    Constant { found: f32, wanted: f32 },
    /// Other sizes, another order of axes, other padding or slices.
    View { node: usize },
    /// An intermediate result that something else reads too.
    Read { node: usize, by: usize },
    /// An intermediate result that is an output.
    Kept { node: usize },
    /// A hole is filled by the wrong kind of value.
    Filled { node: usize, wanted: &'static str },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Function { node } => write!(f, "node {node} is another primitive"),
            Self::Constant { found, wanted } => write!(f, "a constant is {found:?}, not {wanted:?}"),
            Self::View { node } => write!(f, "node {node} reads an operand in another shape or order"),
            Self::Read { node, by } => write!(f, "the intermediate result of node {node} is also read by node {by}"),
            Self::Kept { node } => write!(f, "the intermediate result of node {node} is also an output"),
            Self::Filled { node, wanted } => write!(f, "node {node} is not {wanted}"),
        }
    }
}

/// A refusal and how many nodes fitted before it.
#[derive(Clone, Debug)]
pub(super) struct Attempt {
    pub(super) fitted: usize,
    pub(super) refusal: Refusal,
}

/// Fits `pattern` so that its root is `root`.
pub(super) fn find(pattern: &Pattern, graph: &Primitives, root: usize) -> Result<Found, Attempt> {
    let mut matcher = Matcher { pattern, graph, nodes: vec![None; pattern.nodes.len()], letters: Vec::new(), compounds: Vec::new() };
    let fits = matcher.node(pattern.root, root).and_then(|()| matcher.compounds_hold(root)).and_then(|()| matcher.owned());
    let inner: Vec<usize> = matcher.inner().collect();
    if let Err(refusal) = fits {
        return Err(Attempt { fitted: inner.len(), refusal });
    }
    let node = |index: usize| matcher.nodes[index].expect("invariant: a template is connected");
    let constant = |&index: &usize| match graph.nodes[node(index)].kind {
        Kind::Function(PrimitiveFn::Constant(value)) => value,
        _ => unreachable!("invariant: constants are bound to constants"),
    };
    let holes = pattern.holes.iter().map(|(index, _)| node(*index)).collect();
    let captures = pattern.captures.iter().map(constant).collect();
    Ok(Found { holes, inner, letters: matcher.letters, captures })
}

struct Matcher<'a> {
    pattern: &'a Pattern,
    graph: &'a Primitives<'a>,
    nodes: Vec<Option<usize>>,
    letters: Vec<(char, usize)>,
    compounds: Vec<(BigExpression, usize)>,
}

impl Matcher<'_> {
    fn node(&mut self, index: usize, node: usize) -> Result<(), Refusal> {
        if let Some(known) = self.nodes[index] {
            return if known == node { Ok(()) } else { Err(Refusal::Function { node }) };
        }
        let (wanted, found) = (&self.pattern.nodes[index], &self.graph.nodes[node]);
        match (&wanted.kind, &found.kind) {
            (Kind::Load, _) => self.fill(index, node)?,
            (Kind::Size(letter), Kind::Size(size)) => self.size(letter, *size).ok_or(Refusal::View { node })?,
            (Kind::Function(PrimitiveFn::Constant(wanted)), Kind::Function(PrimitiveFn::Constant(found))) => {
                if !wanted.is_nan() && wanted.to_bits() != found.to_bits() {
                    return Err(Refusal::Constant { found: *found, wanted: *wanted });
                }
            }
            (wanted, found) if function(wanted).is_some() && function(wanted) == function(found) => {}
            _ => return Err(Refusal::Function { node }),
        }
        self.nodes[index] = Some(node);
        if matches!(wanted.kind, Kind::Load) {
            return Ok(());
        }
        for (wanted, found) in wanted.operands.iter().zip(&found.operands) {
            self.view(wanted, found).ok_or(Refusal::View { node })?;
            self.node(wanted.source, found.source)?;
        }
        Ok(())
    }

    fn fill(&self, index: usize, node: usize) -> Result<(), Refusal> {
        let hole = self.pattern.holes.iter().find(|(hole, _)| *hole == index).expect("invariant: a template's loads are its holes").1;
        let role = self.graph.role(node);
        let (fits, wanted) = match hole {
            Hole::Batched => (self.graph.batched[node], "a value per image"),
            Hole::Parameter => (matches!(role, Some(Origin::Param { .. })), "a parameter"),
            Hole::Label => (matches!(role, Some(Origin::Label)), "the label"),
        };
        if fits { Ok(()) } else { Err(Refusal::Filled { node, wanted }) }
    }

    fn view(&mut self, wanted: &Edge<Letter>, found: &Edge<Size>) -> Option<()> {
        if wanted.order != found.order {
            return None;
        }
        wanted.axes.iter().zip(&found.axes).try_for_each(|(wanted, found)| self.axis(wanted, found))
    }

    fn axis(&mut self, wanted: &EdgeAxis<Letter>, found: &EdgeAxis<Size>) -> Option<()> {
        if wanted.broadcast != found.broadcast {
            return None;
        }
        self.size(&wanted.length, found.length)?;
        for side in 0..2 {
            self.size(&wanted.padding[side], found.padding[side])?;
        }
        match (&wanted.slice, found.range()) {
            (None, None) => Some(()),
            (None, Some(range)) => (range == [0, found.padded()?]).then_some(()),
            (Some([start, end]), Some(range)) => self.size(start, Some(range[0])).and_then(|()| self.size(end, Some(range[1]))),
            (Some(_), None) => None,
        }
    }

    fn size(&mut self, wanted: &Letter, found: Size) -> Option<()> {
        match (wanted, found) {
            (Letter::Batch, None) => Some(()),
            (Letter::Number(wanted), Some(found)) => (*wanted == found).then_some(()),
            (Letter::Free(letter), Some(found)) => match self.letters.iter().find(|(known, _)| known == letter) {
                Some((_, known)) => (*known == found).then_some(()),
                None => {
                    self.letters.push((*letter, found));
                    Some(())
                }
            },
            (Letter::Compound(expression), Some(found)) => {
                self.compounds.push((expression.clone(), found));
                Some(())
            }
            _ => None,
        }
    }

    fn compounds_hold(&self, root: usize) -> Result<(), Refusal> {
        let letters = self.letters.iter().copied().collect();
        let holds = |(expression, found): &(BigExpression, usize)| expression.exec(&letters) == Some(*found);
        if self.compounds.iter().all(holds) { Ok(()) } else { Err(Refusal::View { node: root }) }
    }

    /// Nodes of the graph that are no holes.
    fn inner(&self) -> impl Iterator<Item = usize> {
        let operators = self.nodes.iter().zip(&self.pattern.nodes).filter(|(_, node)| !matches!(node.kind, Kind::Load));
        operators.filter_map(|(node, _)| *node)
    }

    /// Nothing outside may read what is inside, except the result.
    fn owned(&self) -> Result<(), Refusal> {
        let root = self.nodes[self.pattern.root];
        for node in self.inner().filter(|&node| Some(node) != root) {
            if self.graph.kept[node] {
                return Err(Refusal::Kept { node });
            }
            if let Some(&by) = self.graph.readers[node].iter().find(|&&reader| !self.inner().any(|inner| inner == reader)) {
                return Err(Refusal::Read { node, by });
            }
        }
        Ok(())
    }
}

fn function<S>(kind: &Kind<S>) -> Option<PrimitiveFn> {
    match kind {
        Kind::Function(f) => Some(*f),
        _ => None,
    }
}
