//! The plan: operators, launch order and buffer offsets, fixed before anything runs.
//!
//! Offsets are per image: at batch B every offset and size is multiplied by B, so one plan holds for every batch.

use serde::{Deserialize, Serialize};

mod arena;
mod check;
mod lifetimes;
mod text;

#[cfg(test)]
mod tests;

pub use crate::program::Cost;
use crate::program::{Net, Program, ValueId};
use crate::spec::PairSpec;

pub use check::PlanError;

/// A compiled pair.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The pair.
    pub spec: PairSpec,
    /// One per backbone, in the order of declaration.
    pub backbones: Vec<BackbonePlan>,
    /// Size in float32 elements per image of the arena that all backbones share. Preludes use it too: run for at most as
    /// many steps at a time as there are images in a batch, they fit.
    pub arena: usize,
}

/// Fixes where the values of every backbone lie. `nets`: one per backbone in the order of declaration, with the cost of the
/// network as declared.
pub fn plan(spec: PairSpec, nets: Vec<(Net, Cost)>) -> Result<Plan, PlanError> {
    check::check(&spec, &nets)?;
    let backbones: Vec<BackbonePlan> = nets.into_iter().map(|(net, cost)| BackbonePlan::of(net, cost)).collect();
    let arena = backbones.iter().map(|backbone| backbone.prelude.extent().max(backbone.body.extent())).max().unwrap_or_default();
    Ok(Plan { spec, backbones, arena: arena.next_multiple_of(arena::LINE) })
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

/// A value's place in the arena, in float32 elements per image (in a layout of [`Layout::sized`]: in its unit).
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

impl Plan {
    /// Bytes of the arena at a batch size: everything but parameters, inputs and outputs.
    pub fn arena_bytes(&self, batch: usize) -> usize {
        self.arena * batch * size_of::<f32>()
    }
}

impl BackbonePlan {
    fn of(net: Net, cost: Cost) -> Self {
        let [prelude, body] = [&net.prelude, &net.body].map(Layout::of);
        Self { net, cost, prelude, body }
    }
}

impl Layout {
    /// Gives every value that an operator writes a place, as small as best fit makes the whole.
    pub fn of(program: &Program) -> Self {
        Self::sized(program, arena::LINE, |id| program.value(id).elements())
    }

    /// As [`Self::of`], in another unit: `size` says how much of it a value takes, offsets are multiples of `line`.
    pub fn sized(program: &Program, line: usize, size: impl Fn(ValueId) -> usize) -> Self {
        let mut places = lifetimes::places(program, size);
        arena::assign_offsets(&mut places, line);
        Self { places }
    }

    /// The end of the last place.
    pub fn extent(&self) -> usize {
        self.places.iter().flatten().map(|place| place.offset + place.elements).max().unwrap_or_default()
    }

    /// The most elements that are needed at one time: no layout can be smaller.
    pub fn most_live(&self) -> usize {
        let places = || self.places.iter().flatten();
        // The sum of live elements is largest where some value is born.
        let live_at = |moment| places().filter(|place| (place.born..=place.dies).contains(&moment)).map(|place| place.elements).sum();
        places().map(|place| live_at(place.born)).max().unwrap_or_default()
    }

    /// The place of a value.
    pub fn place(&self, id: ValueId) -> Option<Place> {
        self.places[id.index()]
    }
}
