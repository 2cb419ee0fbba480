//! Recorded outputs of PyTorch: each backbone of each recorded pair, evaluated once.

use duodiff::Pair;
use duodiff::graph::executor::Executor;
use duodiff::graph::launch::Precision;

use crate::Result;
use crate::bed::{self, Bed};
use crate::common::pairs::{Cond, MlpTime, Uncond};
use crate::common::{Cases, distance};
use crate::correctness::relative;
use crate::table::Table;

/// Largest differences in float32, relative errors in bf16.
pub fn check(bed: &Bed, table: &mut Table) -> Result<()> {
    let pairs: [(&dyn Pair, &str); 3] = [(&Uncond, "uncond"), (&Cond, "cond"), (&MlpTime, "mlp_time")];
    for (pair, name) in pairs {
        let (cases, model) = (Cases::read(name), bed::read(pair, "tests/data", name));
        let labels = cases.labels();
        for precision in [Precision::F32, Precision::Bf16] {
            let mut cuda = bed.cuda(&model, cases.get("t").len(), precision)?;
            for (index, spec) in model.plan.spec.backbones.iter().enumerate() {
                let wanted = cases.get(&format!("eps.{}", spec.name));
                let mut found = vec![f32::NAN; wanted.len()];
                cuda.forward(index, cases.get("x"), cases.get("t"), labels.as_deref(), &mut found)?;
                let (off, bound) = match precision {
                    Precision::F32 => (distance(&found, wanted).into(), 1e-4),
                    _ => (relative(&found, wanted), 2e-2),
                };
                table.check(format!("{name} {} as recorded, {precision}", spec.name), off, bound);
            }
        }
    }
    Ok(())
}
