//! The embedded pair: its trained weights, its forwards, and whole trajectories with recorded noise.

use duodiff::Mnist;
use duodiff::graph::executor::Executor;
use duodiff::graph::process::Steps;

use crate::common::{Cases, Recorded, cpu, distance, plan, read_weights, trajectory};
use crate::forward::FORWARD;
use crate::trajectory::{ddim, ddpm};

/// Bound on the largest difference of a trained pair's images; float noise is 4e-5.
const IMAGE: f32 = 1e-3;

#[test]
fn forwards() {
    let cases = Cases::read("mnist");
    let plan = plan(&Mnist);
    let weights = read_weights(&plan, "models/weights", "mnist");
    let mut cpu = cpu(plan, weights, 4);
    for (index, name) in ["shallow", "deep"].into_iter().enumerate() {
        let wanted = cases.get(&format!("f.{name}"));
        let mut found = vec![0.0; wanted.len()];
        cpu.forward(index, cases.get("x"), cases.get("t"), None, &mut found).expect("a forward");
        assert!(distance(&found, wanted) <= FORWARD, "{name}: {}", distance(&found, wanted));
    }
}

#[test]
fn ddim_50() {
    let cases = Cases::read("mnist");
    let plan = plan(&Mnist);
    let steps = Steps::new(&plan.spec, &ddim(50)).expect("steps");
    let weights = read_weights(&plan, "models/weights", "mnist");
    let recorded = Recorded { start: cases.get("x"), noise: None, timesteps: 1000 };
    let found = trajectory(&mut cpu(plan, weights, 4), &steps, 4, None, &recorded);
    let off = distance(&found, cases.get("ddim50.x0.switch300"));
    assert!(off <= IMAGE, "{off}");
}

#[test]
fn ddpm_1000() {
    let cases = Cases::read("mnist");
    let plan = plan(&Mnist);
    let steps = Steps::new(&plan.spec, &ddpm()).expect("steps");
    let weights = read_weights(&plan, "models/weights", "mnist");
    let recorded = Recorded { start: cases.get("xT"), noise: Some(cases.get("ddpm.noise")), timesteps: 1000 };
    let found = trajectory(&mut cpu(plan, weights, 1), &steps, 1, None, &recorded);
    let off = distance(&found, cases.get("ddpm.x0.switch300"));
    assert!(off <= IMAGE, "{off}");
}
