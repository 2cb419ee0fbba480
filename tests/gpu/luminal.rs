//! The deep net of a pair by luminal's own compiler for CUDA, in float32: a peer. It makes a kernel of each primitive operator and
//! writes out the products of attention, so batches are small.

use std::time::Instant;

use duodiff::Pair;
use duodiff::graph::program::{Origin, sinusoid};

use crate::Result;
use crate::bed::Model;
use crate::table::Table;

/// Timed evaluations, after one that compiles.
const ROUNDS: usize = 9;

/// Microseconds of an evaluation by batch, the median. It includes what upstream's graph does every time: copies of all weights to the GPU.
pub fn time(pair: &dyn Pair, batches: &[usize]) -> Result<Table> {
    let model = Model::random(pair);
    let deep = model.weights.len() - 1;
    let mut table = Table::new(["luminal_cuda, float32, weights copied each time: batch", "deep µs"]);
    for &batch in batches {
        let mut built = pair.build(deep);
        built.compile_upstream()?;
        built.evaluate(batch, |load| {
            let elements: usize = load.shape.iter().product();
            match &load.role {
                Origin::Param { key, .. } => model.weights[deep].tensors.get(key).map(|tensor| tensor.data.clone()).unwrap_or_default(),
                Origin::Sinusoid => {
                    let mut one = vec![0.0; elements];
                    sinusoid(0.5, &mut one);
                    one.repeat(batch)
                }
                _ => (0..batch * elements).map(|index| (index as f32 * 0.37).sin()).collect(),
            }
        });
        let mut times: Vec<f64> = (0..ROUNDS)
            .map(|_| {
                let start = Instant::now();
                built.repeat();
                start.elapsed().as_secs_f64()
            })
            .collect();
        times.sort_by(f64::total_cmp);
        let median = times[ROUNDS / 2];
        eprintln!("luminal_cuda {batch}: {median:.2e} s");
        table.row([batch.to_string(), format!("{:.1}", 1e6 * median)]);
    }
    Ok(table)
}
