//! The plan: operators, launch order and buffer offsets, fixed before anything runs.
//!
//! Offsets are per image: at batch B every offset and size is multiplied by B, so one plan holds for every batch.

use serde::{Deserialize, Serialize};

pub use crate::program::Cost;
use crate::program::{Net, ValueId};
use crate::spec::PairSpec;

/// A compiled pair.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The pair.
    pub spec: PairSpec,
    /// One per backbone, in the order of declaration.
    pub backbones: Vec<BackbonePlan>,
    /// Size in float32 elements per image of the arena that all backbones share.
    pub arena: usize,
}

/// A backbone's share of the plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BackbonePlan {
    /// The optimized network.
    pub net: Net,
    /// Cost of one evaluation, counted on the network as declared.
    pub cost: Cost,
    /// Where the prelude's values lie (its batch is the number of steps that it is run for).
    pub prelude: Layout,
    /// Where the body's values lie.
    pub body: Layout,
}

/// Where a program's values lie.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Layout {
    /// By value: its place in the arena, if it has one (inputs and parameters have none).
    pub places: Vec<Option<Place>>,
}

/// A value's place in the arena, in float32 elements per image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// First element; a multiple of 16, so that rows start on cache lines at every batch.
    pub offset: usize,
    /// Number of elements.
    pub elements: usize,
    /// Index of the operator that writes it.
    pub born: usize,
    /// Index of the last operator that reads it (the number of operators for an output).
    pub dies: usize,
}

impl Layout {
    /// The place of a value.
    pub fn place(&self, id: ValueId) -> Option<Place> {
        self.places[id.index()]
    }
}
