//! The recognisers: one template per operator, and what it becomes.

mod activate;
mod affine;
mod attention;
mod binary;
mod conv3x3;
mod embedding;
mod join;
mod linear;
mod norm;
mod patchify;
mod slice;
mod softmax;
mod unpatchify;

use super::matching::{Attempt, Found, Refusal, find};
use super::primitives::Primitives;
use super::template::{Hole, Pattern};
use crate::program::{Op, Operand, ValueId};

/// Makes the operator from what was found, what fills the holes, and its result.
pub(super) type MakeOp = Box<dyn Fn(&Found, &[ValueId], ValueId) -> Op>;

/// Recognises one operator.
pub(super) struct Recogniser {
    /// The operator's name.
    pub(super) name: &'static str,
    /// Its primitives.
    pub(super) pattern: Pattern,
    /// Shapes of the values, once the sizes are known.
    pub(super) shapes: fn(&Found) -> Shapes,
    /// The operator.
    pub(super) op: MakeOp,
}

/// Shapes of what fills the holes, and of the result.
pub(super) struct Shapes {
    pub(super) holes: Vec<Vec<usize>>,
    pub(super) out: Vec<usize>,
}

impl Shapes {
    /// From the holes' shapes to the result's.
    fn new<const N: usize>(holes: [&[usize]; N], out: &[usize]) -> Self {
        Self { holes: holes.iter().map(|shape| shape.to_vec()).collect(), out: out.to_vec() }
    }
}

/// All of a value of tokens.
fn whole(value: ValueId, [rows, columns]: [usize; 2]) -> Operand {
    Operand { value, rows: 0..rows, columns: 0..columns }
}

impl Recogniser {
    /// Fits the template with its result at `node`; parameters must have the shape that the operator gives them.
    pub(super) fn fit(&self, primitives: &Primitives, node: usize) -> Result<Found, Attempt> {
        let found = find(&self.pattern, primitives, node)?;
        let shapes = (self.shapes)(&found);
        for ((&hole, shape), (_, kind)) in found.holes.iter().zip(&shapes.holes).zip(&self.pattern.holes) {
            let fits = *kind != Hole::Parameter || primitives.load(hole).is_some_and(|load| load.shape == *shape);
            if !fits {
                let refusal = Refusal::Filled { node: hole, wanted: "a parameter of the right shape" };
                return Err(Attempt { fitted: found.inner.len(), refusal });
            }
        }
        Ok(found)
    }
}

/// A list of recognisers, the largest first.
pub struct Recognisers {
    pub(super) list: Vec<Recogniser>,
}

impl Recognisers {
    /// Every recogniser there is.
    pub fn all() -> Self {
        let families = [
            activate::recognisers(),
            affine::recognisers(),
            attention::recognisers(),
            binary::recognisers(),
            conv3x3::recognisers(),
            embedding::recognisers(),
            join::recognisers(),
            linear::recognisers(),
            norm::recognisers(),
            patchify::recognisers(),
            slice::recognisers(),
            softmax::recognisers(),
            unpatchify::recognisers(),
        ];
        let mut list: Vec<Recogniser> = families.into_iter().flatten().collect();
        list.sort_by_key(|recogniser| std::cmp::Reverse(recogniser.pattern.nodes.len()));
        Self { list }
    }

    /// None: everything stays a primitive.
    pub fn none() -> Self {
        Self { list: Vec::new() }
    }

    /// These recognisers but the ones of this name.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.list.retain(|recogniser| recogniser.name != name);
        self
    }

    /// The names of the operators that are recognised.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.list.iter().map(|recogniser| recogniser.name)
    }
}
