//! The executor for GPUs against the one for CPUs.

use duodiff::Pair;
use duodiff::graph::executor::Executor;
use duodiff::graph::launch::Precision;
use duodiff::graph::noise::{Noise, Philox};

use crate::Result;
use crate::bed::{Bed, Model, sample};
use crate::table::Table;

/// Evaluations of every backbone at times of their own: relative errors.
pub fn forwards(bed: &Bed, pairs: &[&dyn Pair], images: usize, table: &mut Table) -> Result<()> {
    for pair in pairs {
        let model = Model::random(*pair);
        let wanted = outputs(&model, &mut model.cpu(images)?, images)?;
        for (precision, bound) in [(Precision::F32, 1e-4), (Precision::Tf32, 5e-3), (Precision::Bf16, 2e-2)] {
            let found = outputs(&model, &mut bed.cuda(&model, images, precision)?, images)?;
            for ((found, wanted), spec) in found.iter().zip(&wanted).zip(&model.plan.spec.backbones) {
                table.check(format!("{} {} forward, {precision}", model.name(), spec.name), relative(found, wanted), bound);
            }
        }
    }
    Ok(())
}

fn outputs(model: &Model, executor: &mut dyn Executor, images: usize) -> Result<Vec<Vec<f32>>> {
    let elements = model.plan.spec.image.elements();
    let mut x = vec![0.0; images * elements];
    for (index, image) in x.chunks_exact_mut(elements).enumerate() {
        Philox { seed: 7 }.fill(index as u64, 0, image);
    }
    let times: Vec<f32> = (0..images).map(|image| 999.0 - 331.5 * image as f32).collect();
    let labels: Option<Vec<u32>> = model.plan.spec.classes.map(|_| (0..images as u32).collect());
    let output = |backbone| {
        let mut out = vec![f32::NAN; x.len()];
        executor.forward(backbone, &x, &times, labels.as_deref(), &mut out)?;
        Ok(out)
    };
    (0..model.plan.backbones.len()).map(output).collect()
}

/// Whole trajectories, of all steps and of fewer.
pub fn trajectories(bed: &Bed, model: &Model, images: usize, counts: [Option<u32>; 2], table: &mut Table) -> Result<()> {
    for (count, rounded) in counts.into_iter().zip([0.02, 0.05]) {
        let (steps, requests) = (model.steps(count)?, model.requests(0..images));
        let wanted = sample(&mut model.cpu(images)?, &steps, &requests)?;
        let name = format!("{} {} steps", model.name(), steps.rows.len());
        let found = sample(&mut bed.cuda(model, images, Precision::F32)?, &steps, &requests)?;
        let largest = found
            .iter()
            .zip(&wanted)
            .map(|(a, b)| f64::from((a - b).abs()))
            .fold(0.0, |most, x| if x > most || x.is_nan() { x } else { most });
        table.check(format!("{name}, f32, largest difference"), largest, 1e-3);
        let found = sample(&mut bed.cuda(model, images, Precision::Bf16)?, &steps, &requests)?;
        let squares: f64 = found.iter().zip(&wanted).map(|(a, b)| f64::from(a - b).powi(2)).sum();
        table.check(format!("{name}, bf16, root of the mean of squares"), (squares / found.len() as f64).sqrt(), rounded);
    }
    Ok(())
}

/// How many values differ from those of the largest batch, by their bits.
pub fn batches(bed: &Bed, model: &Model, batches: &[usize], table: &mut Table) -> Result<()> {
    let steps = model.steps(Some(4))?;
    let all = batches.iter().copied().max().unwrap_or(1);
    for precision in Precision::ALL {
        let wanted = sample(&mut bed.cuda(model, all, precision)?, &steps, &model.requests(0..all))?;
        for &batch in batches.iter().filter(|batch| **batch != all) {
            let mut executor = bed.cuda(model, batch, precision)?;
            let mut found = Vec::new();
            for first in (0..all).step_by(batch) {
                found.extend(sample(&mut executor, &steps, &model.requests(first..all.min(first + batch)))?);
            }
            let differ = found.iter().zip(&wanted).filter(|(a, b)| a.to_bits() != b.to_bits()).count();
            table.check(format!("{} at batch {batch} and {all}, {precision}, bits that differ", model.name()), differ as f64, 0.0);
        }
    }
    Ok(())
}

/// The root of the mean of squares of `found - wanted`, as a share of that of `wanted`.
pub fn relative(found: &[f32], wanted: &[f32]) -> f64 {
    let off: f64 = found.iter().zip(wanted).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum();
    (off / wanted.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>()).sqrt()
}
