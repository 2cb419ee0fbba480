//! Whole trajectories of the recorded pairs (random nets, whose states grow to several hundred).

use duodiff::Pair;
use duodiff::graph::process::{Settings, Solver, Steps};

use crate::common::pairs::{Cond, MlpTime, Uncond};
use crate::common::{Cases, Recorded, cpu, distance, largest, plan, read_weights, trajectory};

/// Bound on the largest difference, as a share of the largest value; float noise is below 4e-6.
pub const TRAJECTORY: f32 = 1e-5;

/// Runs the first recorded image of a pair along steps that `change` may spoil; the difference to `wanted` as a share of the largest value.
pub fn error(pair: &dyn Pair, prefix: &str, settings: &Settings, wanted: &str, change: impl FnOnce(&mut Steps)) -> f32 {
    let cases = Cases::read(prefix);
    let plan = plan(pair);
    let settings = Settings { guidance: Some(0.0), ..settings.clone() };
    let mut steps = Steps::new(&plan.spec, &settings).expect("steps");
    change(&mut steps);
    let noise = matches!(settings.solver, Solver::Ddpm).then(|| cases.get("ddpm.noise"));
    let recorded = Recorded { start: cases.get("xT"), noise, timesteps: plan.spec.process.steps as usize };
    let weights = read_weights(&plan, "tests/data", prefix);
    let label = cases.labels().map(|labels| labels[0]);
    let found = trajectory(&mut cpu(plan, weights, 1), &steps, 1, label, &recorded);
    let wanted = cases.get(wanted);
    distance(&found, wanted) / largest(wanted)
}

pub fn ddim(steps: u32) -> Settings {
    Settings { solver: Solver::Ddim { eta: 0.0 }, steps: Some(steps), ..Settings::default() }
}

pub fn ddpm() -> Settings {
    Settings { solver: Solver::Ddpm, ..Settings::default() }
}

#[track_caller]
fn check_ddim(pair: &dyn Pair, prefix: &str) {
    for count in [10, 50] {
        let off = error(pair, prefix, &ddim(count), &format!("ddim{count}.x0.switch300"), |_| {});
        assert!(off <= TRAJECTORY, "{prefix}, {count} steps to x0: {off}");
        // Without its last row, a trajectory ends in the state of the last timestep.
        let off = error(pair, prefix, &ddim(count), &format!("ddim{count}.stop_at_t0.switch300"), |steps| {
            steps.rows.pop();
        });
        assert!(off <= TRAJECTORY, "{prefix}, {count} steps to t = 0: {off}");
    }
}

#[test]
fn ddim_unconditional() {
    check_ddim(&Uncond, "uncond");
}

#[test]
fn ddim_conditional() {
    check_ddim(&Cond, "cond");
}

#[test]
fn ddim_mlp_time() {
    check_ddim(&MlpTime, "mlp_time");
}

#[test]
fn ddpm_unconditional() {
    let off = error(&Uncond, "uncond", &ddpm(), "ddpm.x0.switch300", |_| {});
    assert!(off <= TRAJECTORY, "{off}");
}
