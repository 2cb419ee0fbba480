//! The bounds are sharp: each classic mistake of a sampler breaks one of them.

use duodiff::graph::process::Steps;

use crate::common::pairs::Uncond;
use crate::trajectory::{TRAJECTORY, ddim, ddpm, error};

#[track_caller]
fn breaks(mistake: impl FnOnce(&mut Steps)) {
    let off = error(&Uncond, "uncond", &ddpm(), "ddpm.x0.switch300", mistake);
    assert!(off > TRAJECTORY, "passes with {off}");
}

#[test]
fn a_switch_one_step_late_breaks_a_bound() {
    breaks(|steps| {
        let first_deep = steps.rows.iter().position(|row| row.backbone == 1).expect("a switch");
        steps.rows[first_deep].backbone = 0;
    });
}

#[test]
fn a_switch_one_step_early_breaks_a_bound() {
    breaks(|steps| {
        let last_shallow = steps.rows.iter().rposition(|row| row.backbone == 0).expect("a switch");
        steps.rows[last_shallow].backbone = 1;
    });
}

#[test]
fn feeding_the_next_timestep_breaks_a_bound() {
    breaks(|steps| steps.rows.iter_mut().for_each(|row| row.time += 1.0 / 1000.0));
}

#[test]
fn beta_for_the_posterior_variance_breaks_a_bound() {
    breaks(|steps| {
        let beta = |t: f32| 1e-4 + (2e-2 - 1e-4) * f64::from(t) / 999.0;
        for row in steps.rows.iter_mut().filter(|row| row.cz != 0.0) {
            row.cz = beta(row.t).sqrt() as f32;
        }
    });
}

#[test]
fn dropping_the_last_jump_breaks_a_bound() {
    let drop_last = |steps: &mut Steps| {
        steps.rows.pop();
    };
    breaks(drop_last);
    let off = error(&Uncond, "uncond", &ddim(50), "ddim50.x0.switch300", drop_last);
    assert!(off > TRAJECTORY, "passes with {off}");
}
