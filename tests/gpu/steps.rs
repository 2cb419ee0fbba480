//! Steps of the pairs: the time that one more step of a trajectory takes.

use std::time::Instant;

use duodiff::Pair;
use duodiff::graph::executor::Executor;
use duodiff::graph::launch::Precision;
use duodiff::graph::process::Steps;

use crate::Result;
use crate::bed::{Bed, Model, sample};
use crate::table::Table;

/// Steps of the shorter and of the longer trajectory, whose difference is measured, and how often.
const STEPS: [usize; 2] = [8, 40];
const ROUNDS: usize = 5;

/// Microseconds per step by backbone, precision and batch, and what a trajectory of the pair's phases takes of one by the last backbone
/// alone.
pub fn time(bed: &Bed, pairs: &[&dyn Pair], precisions: &[Precision], batches: &[usize]) -> Result<Table> {
    let mut table = Table::new(["pair", "precision", "batch", "shallow µs", "deep µs", "phases/deep"]);
    for pair in pairs {
        let model = Model::random(*pair);
        for &precision in precisions {
            for &batch in batches {
                let mut executor = bed.cuda(&model, batch, precision)?;
                let times = (0..model.plan.backbones.len())
                    .map(|backbone| step(&mut executor, &model, backbone, batch))
                    .collect::<Result<Vec<f64>>>()?;
                let all = model.steps(None)?;
                let counts = all.evaluations(times.len());
                let phases: f64 = times.iter().zip(&counts).map(|(time, count)| time * *count as f64).sum();
                let deep = times.last().copied().unwrap_or_default();
                let cells = times.iter().map(|time| format!("{:.1}", 1e6 * time));
                let head = [model.name().to_owned(), precision.to_string(), batch.to_string()];
                table.row(head.into_iter().chain(cells).chain([format!("{:.3}", phases / (deep * all.rows.len() as f64))]));
                eprintln!("{} {precision} {batch}: {times:?}", model.name());
            }
        }
    }
    Ok(table)
}

/// Seconds that one more step takes: the median.
fn step(executor: &mut dyn Executor, model: &Model, backbone: usize, batch: usize) -> Result<f64> {
    let all = model.steps(None)?;
    let row = all.rows.iter().find(|row| row.backbone == backbone).ok_or("a backbone of no phase")?;
    let requests = model.requests(0..batch);
    let mut run = |count: usize| -> Result<f64> {
        let steps = Steps { rows: vec![*row; count], guidance: 0.0 };
        let start = Instant::now();
        sample(executor, &steps, &requests)?;
        Ok(start.elapsed().as_secs_f64())
    };
    // Graphs are captured for the longer one first, and serve both.
    run(STEPS[1])?;
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let [short, long] = [run(STEPS[0])?, run(STEPS[1])?];
        times.push((long - short) / (STEPS[1] - STEPS[0]) as f64);
    }
    times.sort_by(f64::total_cmp);
    Ok(times[ROUNDS / 2])
}
