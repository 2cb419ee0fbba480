//! From a program to the lifetime of each value.

use crate::program::{Program, ValueId};

use super::Place;

/// By value: its place, as yet at offset 0, if an operator writes it; `size` says how much of the arena a value takes.
///
/// A value lives from the operator that writes it to the last that reads it, both included: an operator never writes over what
/// it reads. An output lives to the end, a value that nobody reads for the one operator.
pub(super) fn places(program: &Program, size: impl Fn(ValueId) -> usize) -> Vec<Option<Place>> {
    let mut places: Vec<Option<Place>> = vec![None; program.values.len()];
    for (index, op) in program.ops.iter().enumerate() {
        for input in op.inputs() {
            if let Some(place) = &mut places[input.value().index()] {
                place.dies = index;
            }
        }
        let elements = size(op.out());
        places[op.out().index()] = Some(Place { offset: 0, elements, born: index, dies: index });
    }
    for output in &program.outputs {
        if let Some(place) = &mut places[output.index()] {
            place.dies = program.ops.len();
        }
    }
    places
}
