//! What the driver is asked to launch is what the plan says, step by step, with one wait for the device per trajectory.

use duodiff::Pair;
use duodiff::graph::launch::{self, DevicePlan, Entries, Launch, Precision};
use duodiff::graph::process::Steps;

use crate::common::dit::Stitched;
use crate::common::pairs::{Odd, Tiny};
use crate::kit::{Kit, SEED, TARGET, driver, sample};

/// A launch as the driver's log has it.
fn line(launch: &Launch) -> String {
    let [x, y, z] = launch.grid;
    format!("launch {} {x} {y} {z} {} {}", launch.kernel.entry, launch.block, launch.shared)
}

/// What a trajectory of `images` images consists of, graphs included; tables in one piece each.
fn wanted(kit: &Kit, steps: &Steps, images: usize) -> Vec<String> {
    let device = DevicePlan::new(&kit.plan, kit.precision, TARGET).expect("launches");
    let elements = kit.plan.spec.image.elements();
    let mut lines = Vec::new();
    for (backbone, entries) in steps.evaluations(kit.plan.backbones.len()).into_iter().enumerate() {
        let chunk = device.chunk(backbone, device.arena * images);
        for first in (0..entries).step_by(chunk) {
            lines.extend(device.prelude(backbone, chunk.min(entries - first)).expect("a prelude").iter().map(line));
        }
    }
    lines.push(line(&launch::start(SEED, elements, images).expect("a start")));
    let scales = steps.rows.iter().any(|row| row.scale != 1.0);
    for row in &steps.rows {
        lines.push("graph".into());
        if scales {
            lines.push(line(&launch::scale_image(elements, images).expect("a scale")));
        }
        let mut body = device.body(row.backbone, images, Entries::Step).expect("a body");
        if steps.guidance == 0.0 {
            launch::finish(&mut body, SEED, elements, images).expect("an update");
            lines.extend(body.iter().map(line));
        } else {
            lines.extend(body.iter().chain(&body).map(line));
            lines.push(line(&launch::guide(steps.guidance, elements, images).expect("a guide")));
            lines.push(line(&launch::update(SEED, elements, images).expect("an update")));
        }
    }
    lines
}

#[test]
fn launches_are_the_plans() {
    let Some((driver, compiler)) = driver() else { return };
    let pairs: [(&dyn Pair, Precision); 3] = [(&Tiny, Precision::F32), (&Odd, Precision::Bf16), (&Stitched, Precision::F32)];
    for (pair, precision) in pairs {
        let kit = Kit::new(&compiler, pair, precision);
        let (steps, mut cuda) = (kit.steps(12), kit.cuda(2));
        driver.log();
        sample(&mut cuda, &steps, &kit.requests(0..2));
        let log = driver.log();
        let found: Vec<_> = log.iter().filter(|line| line.starts_with("launch") || *line == "graph").collect();
        let wanted = wanted(&kit, &steps, 2);
        assert_eq!(found.len(), wanted.len(), "{}", kit.plan.spec.name);
        for (index, (found, wanted)) in found.into_iter().zip(&wanted).enumerate() {
            assert_eq!(found, wanted, "line {index} of {}", kit.plan.spec.name);
        }
        assert_eq!(log.iter().filter(|line| *line == "sync").count(), 1, "one wait");
        assert_eq!(log.last().map(String::as_str), Some("sync"), "at the end");
    }
}

#[test]
fn the_next_batch_needs_no_new_graphs_or_tables() {
    let Some((driver, compiler)) = driver() else { return };
    let kit = Kit::new(&compiler, &Tiny, Precision::F32);
    let (steps, mut cuda) = (kit.steps(3), kit.cuda(2));
    sample(&mut cuda, &steps, &kit.requests(0..2));
    driver.fail(0, false);
    sample(&mut cuda, &steps, &kit.requests(2..4));
    // The context, rows, labels, null labels, indices, step, two fills, the start, a graph each step, the images, the wait.
    assert_eq!(driver.calls(), 9 + 3 + 2);
}
