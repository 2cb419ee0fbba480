//! From lifetimes to offsets in one arena: the largest value first, each into the smallest gap that holds it.

use super::Place;

/// Offsets of plans are multiples of this many elements: one cache line of float32.
pub(super) const LINE: usize = 16;

/// Sets the offsets, multiples of `line`, so that places that live at one time do not overlap.
pub(super) fn assign_offsets(places: &mut [Option<Place>], line: usize) {
    let mut order: Vec<usize> = (0..places.len()).filter(|index| places[*index].is_some()).collect();
    // Ties are broken by birth and id, so that equal programs get equal plans.
    order.sort_by_key(|index| places[*index].map(|place| (usize::MAX - place.elements, place.born, *index)));
    let mut placed: Vec<Place> = Vec::with_capacity(order.len());
    for index in order {
        if let Some(place) = &mut places[index] {
            place.offset = best_offset(&placed, place, line);
            placed.push(*place);
            placed.sort_by_key(|place| place.offset);
        }
    }
}

/// The offset of the smallest gap that holds a value, or the end of all that live at its time. `placed` is sorted by offset.
fn best_offset(placed: &[Place], wanted: &Place, line: usize) -> usize {
    let is_live = |place: &&Place| place.born <= wanted.dies && wanted.born <= place.dies;
    let mut best: Option<(usize, usize)> = None;
    let mut end = 0;
    for place in placed.iter().filter(is_live) {
        let gap = place.offset.saturating_sub(end);
        if gap >= wanted.elements && best.is_none_or(|(smallest, _)| gap < smallest) {
            best = Some((gap, end));
        }
        end = end.max((place.offset + place.elements).next_multiple_of(line));
    }
    best.map_or(end, |(_, offset)| offset)
}
