//! An ordered list of small rewrites of a network, verified after each of them.
//!
//! A pass never fails: at every operator that it looks at it either fuses or says why it refused.

mod activation;
mod bias;
mod dead_code;
mod dead_rows;
mod fold_joins;
mod join_into_linear;
mod norm_into_linear;
mod read_in_place;
mod residual;
mod rule;
mod step_tables;
mod uses;

#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Instant;

use serde::Serialize;

use crate::program::{Net, VerifyError};

/// One rewrite of a network.
pub struct Pass {
    /// Its name in reports, e.g. `norm_into_linear`.
    pub name: &'static str,
    /// What it does, in one line.
    pub summary: &'static str,
    run: fn(&mut Net) -> Findings,
}

/// All passes in order.
///
/// What depends on the step alone leaves before the fusions, lest a label or an image flows into the epilogue of a linear
/// of the time. Slices are gone before the fusions too: these look at windows. Norms come before joins, so that a linear
/// may take both.
pub const ALL: &[Pass] = &[
    Pass { name: "fold_joins", summary: "a join of joins along one axis becomes one join", run: fold_joins::run },
    Pass { name: "dead_rows", summary: "rows that nobody reads are not computed", run: dead_rows::run },
    Pass { name: "read_in_place", summary: "readers of a slice read the window of its source", run: read_in_place::run },
    Pass { name: "step_tables", summary: "what depends on the step alone is computed before sampling", run: step_tables::run },
    Pass { name: "norm_into_linear", summary: "linears normalise the rows that they read", run: norm_into_linear::run },
    Pass { name: "join_into_linear", summary: "a linear of joined columns reads two sources", run: join_into_linear::run },
    Pass { name: "bias", summary: "a parameter row added to a linear becomes its bias", run: bias::run },
    Pass { name: "activation", summary: "a nonlinearity moves into the linear before it", run: activation::run },
    Pass { name: "residual", summary: "a sum moves into the linear that computes one summand", run: residual::run },
    Pass { name: "dead_code", summary: "operators, values and tables that nobody reads are dropped", run: dead_code::run },
];

/// What a pass did at the operators that it looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Findings {
    fused: usize,
    refused: Vec<Refusal>,
}

/// An operator that a pass looked at and left alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// The operator as text, as it was then.
    pub op: String,
    /// Why.
    pub reason: &'static str,
}

/// What one pass did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PassReport {
    /// The pass.
    pub pass: &'static str,
    /// Number of rewrites.
    pub fused: usize,
    /// Where it refused.
    pub refused: Vec<Refusal>,
    /// Time taken, in microseconds.
    pub micros: u64,
}

/// A pass that made a wrong program: a bug of the pass.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("after pass {pass}: {error}")]
pub struct PassError {
    /// The pass, or `raise` if the program was wrong before the first.
    pub pass: &'static str,
    /// What is wrong.
    #[source]
    pub error: VerifyError,
}

/// Runs the passes in order, the first `stop_after` only if given. The network is verified before the first and after each.
pub fn optimize(net: &mut Net, stop_after: Option<usize>) -> Result<Vec<PassReport>, PassError> {
    net.verify().map_err(|error| PassError { pass: "raise", error })?;
    let passes = &ALL[..stop_after.unwrap_or(ALL.len()).min(ALL.len())];
    passes.iter().map(|pass| run_one(pass, net)).collect()
}

fn run_one(pass: &Pass, net: &mut Net) -> Result<PassReport, PassError> {
    let start = Instant::now();
    let Findings { fused, refused } = (pass.run)(net);
    let micros = start.elapsed().as_micros() as u64;
    net.verify().map_err(|error| PassError { pass: pass.name, error })?;
    Ok(PassReport { pass: pass.name, fused, refused, micros })
}

impl fmt::Display for PassReport {
    /// The pass and its count, then one line per refusal; no times, so that the text is stable.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} fused, {} refused", self.pass, self.fused, self.refused.len())?;
        for Refusal { op, reason } in &self.refused {
            write!(f, "\n  {reason}: {op}")?;
        }
        Ok(())
    }
}
