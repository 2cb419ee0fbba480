//! From the start of a process to the end of its first step.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use duodiff::graph::cuda::{Cuda, Gpu, Options};
use duodiff::graph::launch::Precision;

use crate::Result;
use crate::bed::{self, Model, sample};
use crate::cubins;
use crate::table::Table;

/// Processes that are started.
const PROCESSES: usize = 5;

/// Goes once from nothing to a step of the trained pair; prints milliseconds from `begun` on: plan and weights, context, kernels and
/// weights on the GPU, one step.
pub fn once(folder: &Path, begun: Instant) -> Result<String> {
    let model = bed::read(&duodiff::Mnist, "models/weights", "mnist");
    first_step(&model, &cubins::read(folder)?, begun)
}

/// The same with a pair that is there.
pub fn first_step(model: &Model, cubins: &[duodiff::graph::emit::Cubin], begun: Instant) -> Result<String> {
    let mut times = vec![begun.elapsed()];
    let gpu = Gpu::open(0)?;
    times.push(begun.elapsed());
    let options = Options { batch: 1, precision: Precision::Bf16 };
    let mut executor = Cuda::new(gpu, model.plan.clone(), model.weights.clone(), cubins, options)?;
    times.push(begun.elapsed());
    sample(&mut executor, &model.steps(Some(1))?, &model.requests(0..1))?;
    times.push(begun.elapsed());
    Ok(times.iter().map(|time| format!("{:.1}", 1e3 * time.as_secs_f64())).collect::<Vec<_>>().join(" "))
}

/// Several processes, the fastest last: the first may find no file in memory.
pub fn time(folder: &Path) -> Result<Table> {
    let mut rows = Vec::new();
    for _ in 0..PROCESSES {
        let started = Instant::now();
        let output = Command::new(std::env::current_exe()?).arg("first").arg(folder).output()?;
        let whole = 1e3 * started.elapsed().as_secs_f64();
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
        }
        let text = String::from_utf8(output.stdout)?;
        let line = text.lines().last().ok_or("a process that said nothing")?;
        let times = line.split(' ').map(str::parse).collect::<std::result::Result<Vec<f64>, _>>()?;
        let [model, context, loaded, step] = times[..] else { return Err(line.into()) };
        rows.push([model, context - model, loaded - context, step - loaded, step - (context - model), whole]);
    }
    rows.sort_by(|a, b| b[4].total_cmp(&a[4]));
    let mut table =
        Table::new(["plan, weights ms", "context ms", "load ms", "first step ms", "start to step without context ms", "process ms"]);
    rows.into_iter().for_each(|row| table.row(row.map(|time| format!("{time:.1}"))));
    Ok(table)
}
