//! What is launched on a GPU for a pair's own solver at one batch: grids, blocks, shared memory and arguments.

use duodiff::graph::launch::{self, DevicePlan, Entries, Launch, LaunchError};
use duodiff::graph::plan::Plan;
use duodiff::graph::process::{Settings, Steps};
use serde::Serialize;

use super::kernels;
use crate::args::InspectArgs;
use crate::error::{Exit, Failure, Result};
use crate::report;

/// Launches that follow each other.
struct Part {
    /// What they compute.
    name: String,
    launches: Vec<Launch>,
}

/// A launch, for JSON.
#[derive(Serialize)]
struct Line<'a> {
    kind: &'static str,
    part: &'a str,
    module: &'static str,
    kernel: &'a str,
    grid: [u32; 3],
    block: u32,
    shared: u32,
    arguments: Vec<String>,
}

/// Prints the launches.
pub fn print(plan: &Plan, args: &InspectArgs) -> Result {
    let (sm, precision, batch) = (kernels::gpu(args)?, kernels::precision(args), args.batch.unwrap_or(1) as usize);
    let failed = |why: &dyn std::fmt::Display| Failure::new(Exit::Failed, why.to_string());
    let steps = Steps::new(&plan.spec, &Settings::default()).map_err(|why| failed(&why))?;
    let device = DevicePlan::new(plan, precision, sm).map_err(|why| failed(&why))?;
    let parts = parts(plan, &device, &steps, batch).map_err(|why| failed(&why))?;
    if args.json {
        let lines = parts.iter().flat_map(|part| part.launches.iter().map(|launch| line(&part.name, launch)));
        return lines.into_iter().try_for_each(|line| report::line(&report::json(&line)));
    }
    report::line(&format!("{sm}, {precision}, batch {batch}, an arena of {} bytes", report::commas((device.arena * batch) as u64)))?;
    parts.iter().try_for_each(|Part { name, launches }| {
        let noun = if launches.len() == 1 { "launch" } else { "launches" };
        report::line(&format!("\n{name}: {} {noun}", launches.len()))?;
        launches.iter().try_for_each(|launch| report::line(&format!("  {launch}")))
    })
}

/// In the order of a trajectory.
fn parts(plan: &Plan, device: &DevicePlan, steps: &Steps, batch: usize) -> std::result::Result<Vec<Part>, LaunchError> {
    let elements = plan.spec.image.elements();
    let mut parts = vec![Part { name: "noise".to_owned(), launches: vec![launch::start(0, elements, batch)?] }];
    for (index, backbone) in plan.spec.backbones.iter().enumerate() {
        let count = steps.rows.iter().filter(|row| row.backbone == index).count();
        let chunk = count.min(device.chunk(index, batch));
        if chunk > 0 {
            let name = format!("{}, tables of {chunk} of {count} steps", backbone.name);
            parts.push(Part { name, launches: device.prelude(index, chunk)? });
        }
        let mut launches = device.body(index, batch, Entries::Step)?;
        if steps.guidance == 0.0 {
            launch::finish(&mut launches, 0, elements, batch)?;
        }
        parts.push(Part { name: format!("{}, a step", backbone.name), launches });
    }
    if steps.guidance != 0.0 {
        parts.push(Part { name: "update".to_owned(), launches: vec![launch::update(0, elements, batch)?] });
    }
    Ok(parts)
}

fn line<'a>(part: &'a str, launch: &'a Launch) -> Line<'a> {
    let Launch { kernel, grid, block, shared, arguments } = launch;
    let arguments = arguments.iter().map(ToString::to_string).collect();
    Line {
        kind: "launch",
        part,
        module: kernel.module.name(),
        kernel: &kernel.entry,
        grid: *grid,
        block: *block,
        shared: *shared,
        arguments,
    }
}
