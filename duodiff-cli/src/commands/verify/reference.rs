//! What is taken to be right, and the comparison with it.

use duodiff::Pair;
use duodiff::graph::cpu::{Cpu, Options};
use duodiff::graph::executor::Traced;
use duodiff::graph::plan::{Plan, plan};
use duodiff::graph::program::{Net, Part};
use duodiff::graph::verify::{self, CompareError, Difference, Reference, Report};
use duodiff::graph::weights::Weights;
use duodiff::spec::PairSpec;

use crate::args::AgainstArg;
use crate::case::Case;
use crate::catalog::Catalog;
use crate::device;
use crate::error::{Exit, Failure, Result};
use crate::resources;
use crate::source::Ready;

/// An executor of one backbone and what it is compared on.
pub struct Subject<'a> {
    /// It executes the backbone as its backbone 0.
    pub executor: &'a mut dyn Traced,
    pub case: &'a Case,
    /// The reference's.
    pub weights: Weights,
    /// The declaration, where there is one.
    pub pair: Option<&'a dyn Pair>,
    /// Which of its backbones.
    pub backbone: usize,
}

/// What was found.
pub struct Checked {
    /// By operator, where the reference has such values.
    pub report: Report,
    /// The reference's output from that of the network as declared, before anything was fused; only of declared pairs.
    pub unfused: Option<Difference>,
}

/// Refuses a reference that this build does not have.
pub fn check(against: AgainstArg) -> Result {
    let missing = |what: &str, mend: &str| Err(Failure::usage(format!("this duodiff was built without {what}")).hint(mend));
    match against {
        AgainstArg::Luminal | AgainstArg::LuminalCuda if !cfg!(feature = "compile") => {
            missing("luminal", "--against interpreter, or a duodiff built with the feature compile")
        }
        AgainstArg::LuminalCuda if !cfg!(feature = "luminal-cuda") => {
            missing("luminal_cuda", "cargo install --path duodiff-cli --features luminal-cuda, with CUDA_ROOT set to a toolkit")
        }
        _ => Ok(()),
    }
}

/// Refuses what the reference has no memory for.
pub fn check_memory(against: AgainstArg, ready: &Ready) -> Result {
    // Of each parameter, what was loaded is kept for the reference, and the interpreter makes a float64 of it.
    let params: u64 = ready.weights().iter().flat_map(|weights| weights.tensors.values()).map(|tensor| tensor.data.len() as u64).sum();
    let each = if against == AgainstArg::Interpreter { 4 + 8 } else { 4 + 4 };
    resources::check_memory(each * params, "--against cpu, or another machine")
}

/// The declaration of a pair, if this command has it.
pub fn declared<'a>(catalog: Catalog<'a>, spec: &PairSpec) -> Option<&'a dyn Pair> {
    catalog.get(&spec.name).filter(|pair| pair.spec() == *spec)
}

impl Subject<'_> {
    /// Compares. `watch` is told the share of the work that is done.
    pub fn check(mut self, against: AgainstArg, threads: usize, watch: &mut dyn FnMut(f64)) -> Result<Checked> {
        match against {
            AgainstArg::Interpreter => {
                let weights = self.weights.clone();
                let report = self.compare(Reference::Interpreter(&weights), watch)?;
                let unfused = self.unfused(&report.expected)?;
                Ok(Checked { report, unfused })
            }
            AgainstArg::Cpu => {
                let mut cpu = self.cpu(threads)?;
                let report = self.compare(Reference::Executor(&mut cpu, 0), watch)?;
                Ok(Checked { report, unfused: None })
            }
            AgainstArg::Luminal | AgainstArg::LuminalCuda => {
                let expected = self.luminal(against)?;
                let mut out = vec![f32::NAN; self.case.x.len()];
                let evaluated = self.executor.forward(0, &self.case.x, &self.case.t, self.case.y.as_deref(), &mut out);
                evaluated.map_err(|why| device::not_executed(&why))?;
                let report = Report { rows: Vec::new(), output: Difference::new(&expected, &out), expected };
                Ok(Checked { report, unfused: None })
            }
        }
    }

    fn compare(&mut self, reference: Reference<'_>, watch: &mut dyn FnMut(f64)) -> Result<Report> {
        let case = verify::Case { x: &self.case.x, times: &self.case.t, labels: self.case.y.as_deref() };
        verify::verify(self.executor, 0, case, reference, watch).map_err(|why| match why {
            CompareError::Executor(why) => device::not_executed(&why),
            why => Failure::new(Exit::Failed, why.to_string()),
        })
    }

    /// The CPU executor on the programs that the other one runs.
    fn cpu(&self, threads: usize) -> Result<Cpu> {
        let failed =
            |why: &dyn std::fmt::Display| Failure::new(Exit::Failed, format!("the reference: {why}")).hint("--against interpreter");
        let of = |part| self.executor.program(0, part).clone();
        let net = Net { prelude: of(Part::Prelude), body: of(Part::Body) };
        let planned = self.executor.plan();
        let plan: Plan = plan(planned.spec.clone(), vec![(net, planned.backbones[0].cost)]).map_err(|why| failed(&why))?;
        let options = Options { batch: self.case.t.len(), threads, isa: None };
        Cpu::new(plan, vec![self.weights.clone()], options).map_err(|why| failed(&why))
    }
}

#[cfg(feature = "compile")]
mod declared {
    use duodiff::build::Built;
    use duodiff::graph::compile::{self, compile};
    use duodiff::graph::interpret::{self, Inputs};
    use duodiff::graph::program::{Origin, sinusoid};

    use super::*;

    impl Subject<'_> {
        /// The times that the network is fed.
        fn fed(&self) -> Vec<f32> {
            let map = self.executor.plan().spec.time_of(0);
            self.case.t.iter().map(|&t| map.at(t)).collect()
        }

        /// The network as raised from luminal's graph, in float64.
        pub(super) fn unfused(&self, expected: &[f64]) -> Result<Option<Difference>> {
            let failed = |why: &dyn std::fmt::Display| Failure::new(Exit::Failed, format!("the network as declared: {why}"));
            let Some(pair) = self.pair else { return Ok(None) };
            let compiled = compile(pair, &compile::Options { stop_after: Some(0) }).map_err(|why| failed(&why))?;
            let program = &compiled.backbones[self.backbone].raised.program;
            let times = self.fed();
            let inputs = Inputs { images: &self.case.x, times: &times, labels: self.case.y.as_deref() };
            let outputs = interpret::program(program, &inputs, &[], &self.weights).map_err(|why| failed(&why))?;
            Ok(Some(Difference::new(&outputs[0], expected)))
        }

        /// The network as declared, by luminal itself.
        pub(super) fn luminal(&self, against: AgainstArg) -> Result<Vec<f64>> {
            let Some(pair) = self.pair else {
                let message =
                    format!("luminal evaluates declarations, and this duodiff does not declare {}", self.executor.plan().spec.name);
                return Err(Failure::usage(message).hint("--against interpreter, or a pair of duodiff pairs"));
            };
            let mut built = pair.build(self.backbone);
            if against == AgainstArg::LuminalCuda {
                upstream(&mut built)?;
            }
            let times = self.fed();
            let value = |role: &Origin, elements: usize| match role {
                Origin::Image => self.case.x.clone(),
                Origin::Label => self.case.y.iter().flatten().map(|label| *label as f32).collect(),
                Origin::Param { key, .. } => self.weights.tensors.get(key).map(|tensor| tensor.data.clone()).unwrap_or_default(),
                _ => {
                    let mut all = vec![0.0; times.len() * elements];
                    times.iter().zip(all.chunks_exact_mut(elements)).for_each(|(time, out)| sinusoid(*time, out));
                    all
                }
            };
            let out = built.evaluate(times.len(), |load| value(&load.role, load.shape.iter().product()));
            Ok(out.into_iter().map(f64::from).collect())
        }
    }

    #[cfg(feature = "luminal-cuda")]
    fn upstream(built: &mut Built) -> Result {
        built.compile_upstream().map_err(|why| Failure::new(Exit::Misfit, why.to_string()).hint("--against interpreter"))
    }

    /// Refused by [`check`] before.
    #[cfg(not(feature = "luminal-cuda"))]
    fn upstream(_: &mut Built) -> Result {
        check(AgainstArg::LuminalCuda)
    }
}

#[cfg(not(feature = "compile"))]
impl Subject<'_> {
    /// Needs the declaration's graph.
    fn unfused(&self, _: &[f64]) -> Result<Option<Difference>> {
        Ok(None)
    }

    /// Refused by [`check`] before.
    fn luminal(&self, against: AgainstArg) -> Result<Vec<f64>> {
        check(against).map(|()| Vec::new())
    }
}
