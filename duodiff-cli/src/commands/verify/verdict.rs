//! Whether a backbone passes, and what to do if it does not.

use duodiff::graph::verify::{Difference, Report, Row};

use crate::args::AgainstArg;
use crate::error::{Exit, Failure};

/// What fusing may change in float64: the order of some additions.
pub const FUSING: f64 = 1e-9;

/// One backbone's comparison.
pub struct Verdict {
    pub pair: String,
    pub backbone: String,
    /// What was verified.
    pub device: String,
    pub on_gpu: bool,
    pub batch: usize,
    pub against: AgainstArg,
    /// On every relative error.
    pub bound: f64,
    pub report: Report,
    /// The reference from the network as declared.
    pub unfused: Option<Difference>,
    pub seconds: f64,
}

impl Verdict {
    /// Whether it passes.
    pub fn is_good(&self) -> bool {
        self.report.is_good(self.bound) && self.fuses_well()
    }

    /// Whether the plan means what was declared.
    pub fn fuses_well(&self) -> bool {
        self.unfused.is_none_or(|unfused| unfused.relative() <= FUSING)
    }

    /// The first operator that is wrong, or far off where the output is.
    pub fn first_bad(&self) -> Option<&Row> {
        self.report.first_bad(self.bound)
    }

    /// Why the command ends with a failure, if it does.
    pub fn failure(&self) -> Option<Failure> {
        if self.is_good() {
            return None;
        }
        let (net, bound) = (format!("{} {}", self.pair, self.backbone), self.bound);
        let (what, hint) = match self.first_bad() {
            Some(row) => {
                let (error, whose) = match row.own_error().filter(|error| *error > bound) {
                    Some(own) => (own, " by itself"),
                    None => (row.total.relative(), ", with all before it"),
                };
                let what = format!("{} {} ({} {}) is off by {error:.1e}{whose}", row.op, row.layer, row.part.name(), row.index);
                (format!("{what}, rounding explains {bound:.0e}"), self.next())
            }
            None if self.report.output.relative() > bound => {
                let error = self.report.output.relative();
                (
                    format!("the output is off by {error:.1e}, rounding explains {bound:.0e}"),
                    "--against interpreter, to find the operator".into(),
                )
            }
            None => {
                let error = self.unfused.map_or(0.0, Difference::relative);
                let hint = format!("duodiff inspect {} --stage optimize --stop-after N, to find the pass", self.pair);
                (format!("the plan is off by {error:.1e} from what is declared, float64 explains {FUSING:.0e}"), hint)
            }
        };
        Some(Failure::new(Exit::Unverified, format!("verification failed: {net}: {what}")).hint(hint))
    }

    /// What to type to learn more of a wrong operator.
    fn next(&self) -> String {
        if self.on_gpu {
            "the same with --device cpu: if that passes, the GPU's kernel is wrong, else the weights".to_owned()
        } else {
            format!(
                "duodiff inspect {} --stage optimize, to see the operator; duodiff inspect W.safetensors, to see its weights",
                self.pair
            )
        }
    }
}
