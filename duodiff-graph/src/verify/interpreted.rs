//! The float64 interpreter as the reference: two runs of it, one on its own values, one on the executor's.

use super::comparison::Comparison;
use super::{Case, CompareError, Difference, Report};
use crate::executor::Traced;
use crate::interpret::{Inputs, InterpretError, Run};
use crate::program::{Part, Program};
use crate::weights::Weights;

/// The runs of a part.
struct Runs<'a> {
    /// The reference's values.
    ideal: Run<'a>,
    /// The reference on what the executor computed so far.
    led: Run<'a>,
}

/// Compares at most [`Traced::together`] images.
pub(super) fn compare(
    executor: &mut dyn Traced,
    backbone: usize,
    case: Case<'_>,
    programs: &[Program; 2],
    weights: &Weights,
    report: &mut Report,
    watch: &mut dyn FnMut(f64),
) -> Result<(), CompareError> {
    let map = executor.plan().spec.time_of(backbone);
    let fed: Vec<f32> = case.times.iter().map(|&t| map.at(t)).collect();
    let inputs = Inputs { images: case.x, times: &fed, labels: case.labels };
    let [prelude, body] = programs;
    let mut runs = Runs::new(Run::new(prelude, &inputs, &[], weights)?);
    let mut comparison = Comparison::new(report);
    let mut at = Part::Prelude;
    let all = programs.iter().map(Program::flops).sum::<u64>().max(1) as f64;
    let mut done = 0;
    let mut failed = None;
    let mut visit = |part: Part, index: usize, found: &[f32]| -> Result<(), InterpretError> {
        if part != at {
            at = part;
            runs.enter(body, &inputs, weights)?;
        }
        let [total, own] = runs.step(found)?;
        comparison.note(total, Some(own));
        let program = if part == Part::Prelude { prelude } else { body };
        done += program.flops_of(&program.ops[index]);
        watch(done as f64 / all);
        Ok(())
    };
    executor.trace(backbone, case.x, case.times, case.labels, &mut |part, index, found| {
        if failed.is_none() {
            failed = visit(part, index, found).err();
        }
    })?;
    if let Some(why) = failed {
        return Err(why.into());
    }
    comparison.finish(&runs.ideal.outputs()[0]);
    Ok(())
}

impl<'a> Runs<'a> {
    fn new(ideal: Run<'a>) -> Self {
        Self { led: ideal.clone(), ideal }
    }

    /// Goes on to the body: each run reads the tables that it computed.
    fn enter(&mut self, body: &'a Program, inputs: &Inputs, weights: &Weights) -> Result<(), InterpretError> {
        let [ideal, led] = [&self.ideal, &self.led].map(|run| run.clone().outputs());
        self.ideal = Run::new(body, inputs, &ideal, weights)?;
        self.led = self.ideal.clone().with_tables(led);
        Ok(())
    }

    /// Executes the next operator in both: its total and its own difference.
    fn step(&mut self, found: &[f32]) -> Result<[Difference; 2], InterpretError> {
        let mut differences = [Difference::default(); 2];
        for (run, difference) in [&mut self.ideal, &mut self.led].into_iter().zip(&mut differences) {
            let expected = run.step()?.expect("invariant: both run one program");
            *difference = Difference::new(expected, found);
        }
        self.led.replace(found.iter().map(|x| f64::from(*x)).collect());
        Ok(differences)
    }
}
