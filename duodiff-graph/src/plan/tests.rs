//! Layouts and the text form of plans. That no live places overlap is shown by `null`.

use super::{Layout, Plan, PlanError, plan};
use crate::passes::optimize;
use crate::program::{Activation, Net};
use crate::tests::pairs::spec;
use crate::tests::sketch::Sketch;
use crate::tests::uvit::Uvit;

/// The plan of U-ViTs of the given depths.
fn plan_of(uvit: Uvit, depths: &[usize]) -> Result<Plan, PlanError> {
    let nets = depths.iter().map(|depth| optimized(Uvit { depth: *depth, ..uvit })).collect::<Vec<_>>();
    let cost = nets[0].cost();
    plan(spec(uvit.image, uvit.classes), nets.into_iter().map(|net| (net, cost)).collect())
}

fn optimized(uvit: Uvit) -> Net {
    let mut net = uvit.net("net");
    optimize(&mut net, None).unwrap();
    net
}

#[test]
fn a_chain_needs_two_buffers() {
    let mut s = Sketch::new("chain");
    let mut x = s.table(0, 4, 100);
    for _ in 0..6 {
        x = s.activate(x, Activation::Silu);
    }
    let layout = Layout::of(&s.finish(&[x]).body);
    assert_eq!((layout.extent(), layout.most_live()), (800, 800));
    let offsets: Vec<_> = layout.places.iter().flatten().map(|place| place.offset).collect();
    assert_eq!(offsets, [0, 400, 0, 400, 0, 400]);
}

#[test]
fn inputs_and_parameters_have_no_place() {
    let net = Uvit::new([3, 8, 8], 4, 16, 2, 1).net("net");
    let layout = Layout::of(&net.body);
    for (value, place) in net.body.values.iter().zip(&layout.places) {
        assert_eq!(place.is_some(), value.origin == crate::program::Origin::Op, "{value:?}");
    }
}

#[test]
fn offsets_start_on_cache_lines() {
    let plan = plan_of(Uvit::new([1, 6, 6], 2, 6, 2, 5), &[3, 5]).unwrap();
    let places = plan.backbones.iter().flat_map(|backbone| backbone.body.places.iter().flatten());
    assert!(places.into_iter().all(|place| place.offset.is_multiple_of(16)));
    assert!(plan.arena.is_multiple_of(16));
}

/// The layout of the largest declared net is close to the least possible; the arena holds the larger of the two backbones.
#[test]
fn best_fit_is_tight() {
    let plan = plan_of(Uvit::new([3, 32, 32], 2, 512, 8, 13), &[3, 13]).unwrap();
    let [shallow, deep] = &plan.backbones[..] else { panic!() };
    for layout in [&shallow.body, &deep.body] {
        assert!(layout.extent() as f64 <= 1.02 * layout.most_live() as f64, "{} {}", layout.extent(), layout.most_live());
    }
    assert_eq!(plan.arena, deep.body.extent().next_multiple_of(16));
    assert_eq!(plan.arena_bytes(3), 12 * plan.arena);
}

#[test]
fn refuses_what_is_not_the_pair() {
    let uvit = Uvit::new([3, 8, 8], 4, 16, 2, 1);
    let net = || (optimized(uvit), Default::default());
    let message = |image, classes, nets: Vec<_>| plan(spec(image, classes), nets).unwrap_err().to_string();
    assert_eq!(message([3, 8, 8], None, vec![net()]), "1 networks found, 2 wanted -- one per declared backbone");
    assert_eq!(
        message([3, 8, 4], None, vec![net(), net()]),
        "backbone shallow reads [3, 8, 8], [3, 8, 4] wanted -- the shape of the pair's image"
    );
    let labelled = || (optimized(Uvit { classes: Some(10), ..uvit }), Default::default());
    assert_eq!(
        message([3, 8, 8], Some(11), vec![labelled(), labelled()]),
        "backbone shallow embeds 10 classes, 11 wanted -- as many as the pair declares"
    );
    let (mut broken, cost) = net();
    broken.body.ops.clear();
    assert!(message([3, 8, 8], None, vec![net(), (broken, cost)]).starts_with("backbone deep: outputs reads %"));
}

#[test]
fn equal_programs_get_equal_plans() {
    let uvit = Uvit { classes: Some(3), mlp_time: true, ..Uvit::new([3, 8, 8], 2, 16, 2, 3) };
    let [first, second] = [(); 2].map(|()| plan_of(uvit, &[3, 5]).unwrap());
    assert_eq!(first.to_string(), second.to_string());
    assert_eq!(first, second);
}

#[test]
fn a_plan_reads_well() {
    let uvit = Uvit { mlp_time: true, ..Uvit::new([3, 8, 8], 4, 16, 2, 1) };
    let text = plan_of(uvit, &[1, 1]).unwrap().to_string();
    assert_eq!(text, include_str!("tiny_plan.txt"));
}
