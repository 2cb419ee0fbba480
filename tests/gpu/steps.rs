//! Steps of the pairs, by the device's clock: the time of the replayed graphs of a trajectory.

use std::time::{Duration, Instant};

use duodiff::Pair;
use duodiff::graph::cuda::Cuda;
use duodiff::graph::executor::Request;
use duodiff::graph::launch::Precision;
use duodiff::graph::process::{Settings, Solver, Steps};
use duodiff::graph::spec::Phase;

use crate::Result;
use crate::bed::{Bed, Model, sample};
use crate::ceilings::Ceilings;
use crate::table::Table;

/// Most steps of a trajectory that is timed, trajectories whose median counts, and the time that all of them may take.
const STEPS: usize = 40;
const ROUNDS: usize = 7;
const BUDGET: f64 = 1.5;

/// Microseconds per step by backbone, precision and batch; the share of the GPU's best product that the last backbone reaches; and what
/// the pair's phases take of a trajectory by the last backbone alone. What would start after `deadline` is left out.
pub fn time(
    bed: &Bed,
    ceilings: Option<&Ceilings>,
    pairs: &[&dyn Pair],
    precisions: &[Precision],
    batches: &[usize],
    deadline: Instant,
) -> Result<Table> {
    let mut table = Table::new(["pair", "precision", "batch", "shallow µs", "deep µs", "phases/deep", "deep TFLOP/s", "of best product"]);
    for pair in pairs {
        let model = Model::random(*pair);
        for &precision in precisions {
            for &batch in batches {
                let head = [model.name().to_owned(), precision.to_string(), batch.to_string()];
                if Instant::now() > deadline {
                    table.row(head.into_iter().chain(["left out: no time".into()]));
                    continue;
                }
                let mut executor = bed.cuda(&model, batch, precision)?;
                executor.time_steps()?;
                let backbones = 0..model.plan.backbones.len();
                let times = backbones.map(|backbone| step(&mut executor, &model, backbone, batch)).collect::<Result<Vec<f64>>>()?;
                let all = model.steps(None)?;
                let counts = all.evaluations(times.len());
                let phases: f64 = times.iter().zip(&counts).map(|(time, count)| time * *count as f64).sum();
                let deep = times.last().copied().unwrap_or_default();
                let flops = model.plan.backbones.last().map_or(0, |backbone| backbone.cost.flops) as f64 * batch as f64;
                let rate = 1e-12 * flops / deep;
                let share = ceilings.map_or("-".into(), |ceilings| format!("{:.0} %", 100.0 * rate / ceilings.product));
                let cells = times.iter().map(|time| format!("{:.1}", 1e6 * time));
                let ratio = format!("{:.3}", phases / (deep * all.rows.len() as f64));
                table.row(head.into_iter().chain(cells).chain([ratio, format!("{rate:.0}"), share]));
                eprintln!("{} {precision} {batch}: {times:?}", model.name());
            }
        }
    }
    Ok(table)
}

/// Seconds of a step: the median.
fn step(executor: &mut Cuda, model: &Model, backbone: usize, batch: usize) -> Result<f64> {
    let all = model.steps(None)?;
    let row = *all.rows.iter().find(|row| row.backbone == backbone).ok_or("a backbone of no phase")?;
    let steps = |count| Steps { rows: vec![row; count], guidance: 0.0 };
    let requests = model.requests(0..batch);
    // Captures the graph, and shows how many steps there is time for.
    let mut once = |count| Ok::<_, Box<dyn std::error::Error>>(seconds(executor, &steps(count), &requests)? / count as f64);
    once(STEPS)?;
    let fits = BUDGET / once(2)?.max(1e-9) / ROUNDS as f64;
    median(|| once((fits as usize).clamp(2, STEPS)))
}

/// Seconds from the first to the last step.
fn seconds(executor: &mut Cuda, steps: &Steps, requests: &[Request]) -> Result<f64> {
    sample(executor, steps, requests)?;
    Ok(executor.elapsed()?.unwrap_or(Duration::ZERO).as_secs_f64())
}

fn median(mut time: impl FnMut() -> Result<f64>) -> Result<f64> {
    let mut times = (0..ROUNDS).map(|_| time()).collect::<Result<Vec<_>>>()?;
    times.sort_by(f64::total_cmp);
    Ok(times[ROUNDS / 2])
}

/// What whole trajectories take with so many of their training timesteps by the first backbone, as a share of one by the last alone:
/// measured, not computed from steps. `count` steps each.
pub fn phases(bed: &Bed, pairs: &[&dyn Pair], batches: &[usize], count: u32) -> Result<Table> {
    const SHALLOW: [u32; 4] = [0, 300, 400, 500];
    let mut table = Table::new(["pair", "batch", "all deep ms", "t_s = 300", "t_s = 400", "t_s = 500"]);
    for pair in pairs {
        let model = Model::random(*pair);
        let spec = &model.plan.spec;
        let [Some(first), Some(last)] = [spec.backbones.first(), spec.backbones.last()] else { return Err("no backbone".into()) };
        for &batch in batches {
            let mut executor = bed.cuda(&model, batch, Precision::Bf16)?;
            executor.time_steps()?;
            let mut times = Vec::new();
            for shallow in SHALLOW {
                let text = format!("{}:{shallow},{}:{}", first.name, last.name, spec.process.steps - shallow);
                let phases = Some(Phase::parse(&text, &spec.backbones, spec.process.steps)?);
                let solver = Solver::Ddim { eta: 0.0 };
                let steps = Steps::new(spec, &Settings { solver, steps: Some(count), phases, ..Settings::default() })?;
                let requests = model.requests(0..batch);
                seconds(&mut executor, &steps, &requests)?;
                times.push(median(|| seconds(&mut executor, &steps, &requests))?);
            }
            eprintln!("{} {batch}: {times:?}", model.name());
            let shares = times[1..].iter().map(|time| format!("{:.3}", time / times[0]));
            let head = [model.name().to_owned(), batch.to_string(), format!("{:.2}", 1e3 * times[0])];
            table.row(head.into_iter().chain(shares));
        }
    }
    Ok(table)
}
