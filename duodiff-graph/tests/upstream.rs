//! Whole U-ViTs by luminal_cuda, against PyTorch. Needs a GPU where it runs: `cargo test -p duodiff-graph --features luminal-cuda --test
//! upstream`.

#[allow(dead_code, reason = "the other test evaluates more of them")]
#[path = "uvit/arch.rs"]
mod arch;
#[path = "uvit/golden.rs"]
mod golden;

use arch::{cond, mlp_time, uncond};
use duodiff_graph::build::Built;
use golden::{tensors, value};

fn check(pair: &str, net: &str, width: usize, time_scale: f32, mut built: Built) {
    if let Err(why) = built.compile_upstream() {
        println!("skipped: {why}");
        return;
    }
    let (cases, weights) = (tensors(&format!("{pair}.cases.safetensors")), tensors(&format!("{pair}.{net}.safetensors")));
    let input = |name: &str| cases[name].1.clone();
    let found = built.evaluate(cases["x"].0[0], |load| value(&load.role, input, &weights, width, time_scale));
    let wanted = input(&format!("eps.{net}"));
    assert_eq!(found.len(), wanted.len());
    let worst = found.iter().zip(&wanted).map(|(found, wanted)| (found - wanted).abs()).fold(0.0, f32::max);
    assert!(worst <= 1e-4, "{pair} {net}: off by {worst:e}");
}

#[test]
fn the_golden_networks_agree_with_pytorch() {
    check("uncond", "shallow", uncond::DIM, 1e-3, uncond::build(3));
    check("uncond", "deep", uncond::DIM, 1e-3, uncond::build(5));
    check("cond", "shallow", cond::DIM, 1.0, cond::build(3));
    check("mlp_time", "shallow", mlp_time::DIM, 1e-3, mlp_time::build(1));
}
