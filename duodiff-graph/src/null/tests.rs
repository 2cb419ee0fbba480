//! Right plans pass at every batch, and each way of breaking one is caught.

use super::{Fault, Trace, run};
use crate::passes::optimize;
use crate::plan::{Place, Plan, plan};
use crate::program::{Op, Origin, Primitive, PrimitiveFn, ValueId};
use crate::tests::pairs::spec;
use crate::tests::sketch::random;
use crate::tests::uvit::Uvit;

fn tiny() -> Plan {
    let uvit = Uvit { mlp_time: true, classes: Some(3), ..Uvit::new([3, 8, 8], 2, 16, 2, 3) };
    let nets = [3, 5].map(|depth| {
        let mut net = Uvit { depth, ..uvit }.net(if depth == 3 { "shallow" } else { "deep" });
        let cost = net.cost();
        optimize(&mut net, None).unwrap();
        (net, cost)
    });
    plan(spec(uvit.image, uvit.classes), nets.into()).unwrap()
}

/// The fault found after `breaks` was done to the n-th place of the deep body.
fn fault(nth: usize, breaks: impl FnOnce(&mut Place)) -> Fault {
    let mut plan = tiny();
    breaks(plan.backbones[1].body.places.iter_mut().flatten().nth(nth).unwrap());
    let error = run(&plan, 2).unwrap_err();
    assert_eq!(error.program, "body of deep");
    error.fault
}

#[test]
fn right_plans_pass_at_every_batch() {
    let plan = tiny();
    let launches = plan.backbones.iter().map(|backbone| backbone.net.prelude.ops.len() + backbone.net.body.ops.len()).sum();
    for batch in [1, 2, 3, 8, 128] {
        assert_eq!(run(&plan, batch), Ok(Trace { launches, extent: plan.arena * batch }));
    }
}

#[test]
fn right_plans_pass_at_every_stage_of_the_passes() {
    let uvit = Uvit::new([3, 16, 16], 2, 24, 2, 7);
    for stop_after in 0..=crate::passes::ALL.len() {
        let mut net = uvit.net("net");
        optimize(&mut net, Some(stop_after)).unwrap();
        let plan = plan(spec(uvit.image, None), vec![(net.clone(), net.cost()), (net.clone(), net.cost())]).unwrap();
        run(&plan, 3).unwrap();
    }
}

/// Moving any value by a cache line, either way, hits a neighbour, the end of the arena, or nothing; swapping in another value's
/// offset is caught wherever the two lives meet.
#[test]
fn any_two_places_that_meet_are_caught() {
    let right = tiny();
    let places: Vec<(usize, Place)> =
        right.backbones[1].body.places.iter().enumerate().filter_map(|(id, place)| Some((id, (*place)?))).collect();
    let mut caught = 0;
    for (id, place) in &places {
        for (_, other) in places.iter().filter(|(other, _)| other != id) {
            let mut plan = right.clone();
            plan.backbones[1].body.places[*id] = Some(Place { offset: other.offset, ..*place });
            let range = |place: &Place| place.offset..place.offset + place.elements;
            let moved = Place { offset: other.offset, ..*place };
            let collides = places.iter().any(|(third, against)| {
                let meets = against.born <= place.dies && place.born <= against.dies;
                third != id && meets && range(against).start < range(&moved).end && range(&moved).start < range(against).end
            });
            let is_outside = range(&moved).end > plan.arena;
            assert_eq!(run(&plan, 1).is_err(), collides || is_outside, "{id} at {}", other.offset);
            caught += usize::from(collides);
        }
    }
    assert!(caught > places.len(), "{caught}");
}

#[test]
fn catches_a_life_cut_short() {
    let found = fault(3, |place| place.dies -= 1);
    assert!(matches!(found, Fault::Lifetime { .. }), "{found}");
    assert!(found.to_string().contains("seen from"), "{found}");
}

#[test]
fn catches_a_wrong_birth() {
    assert!(matches!(fault(3, |place| place.born -= 1), Fault::Lifetime { .. }));
}

#[test]
fn catches_a_wrong_size() {
    assert!(matches!(fault(3, |place| place.elements -= 1), Fault::Size { .. }));
}

#[test]
fn catches_a_place_off_the_lines() {
    assert!(matches!(fault(3, |place| place.offset += 8), Fault::Unaligned { .. }));
}

#[test]
fn catches_a_place_outside() {
    assert!(matches!(fault(3, |place| place.offset += 1 << 20), Fault::Outside { .. }));
}

#[test]
fn catches_an_arena_too_small() {
    let mut plan = tiny();
    plan.arena -= 16;
    assert!(matches!(run(&plan, 1).unwrap_err().fault, Fault::Outside { .. }));
}

#[test]
fn catches_missing_and_superfluous_places() {
    let mut plan = tiny();
    let places = &mut plan.backbones[0].body.places;
    let written = places.iter().position(Option::is_some).unwrap();
    let place = places[written].take();
    assert_eq!(run(&plan, 1).unwrap_err().fault, Fault::Nowhere(ValueId::new(written)));
    let places = &mut plan.backbones[0].body.places;
    places[written] = place;
    places[0] = place;
    assert_eq!(run(&plan, 1).unwrap_err().fault, Fault::Superfluous(ValueId::new(0)));
    plan.backbones[0].body.places.pop();
    assert!(matches!(run(&plan, 1).unwrap_err().fault, Fault::Count { .. }));
}

#[test]
fn catches_operators_out_of_order() {
    let mut plan = tiny();
    let random = random(5, 1)[0];
    let at = 4 + usize::from(random > 0.0);
    plan.backbones[1].net.body.ops.swap(at, at + 1);
    assert!(run(&plan, 1).is_err());
}

/// What is the same for all images takes one image's share, and is checked all the same.
#[test]
fn shared_values_are_checked_too() {
    let mut plan = tiny();
    let backbone = &mut plan.backbones[0];
    let out = backbone.net.body.add_value([], Origin::Shared);
    backbone.net.body.ops.insert(0, Op::Primitive(Primitive { f: PrimitiveFn::Constant(1.0), inputs: vec![], out }));
    backbone.net.body.outputs.push(out);
    backbone.body = crate::plan::Layout::of(&backbone.net.body);
    plan.arena += 16;
    assert!(run(&plan, 4).is_ok());
    let clash = plan.backbones[0].body.places.iter().flatten().next().unwrap().offset;
    if let Some(place) = &mut plan.backbones[0].body.places[out.index()] {
        place.offset = clash;
    }
    assert!(matches!(run(&plan, 4).unwrap_err().fault, Fault::Clobbered { .. }));
}
