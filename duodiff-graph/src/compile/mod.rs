//! From a declared pair to its plan, with everything on the way that is worth a look.

#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use crate::Pair;
use crate::null::{self, NullError};
use crate::passes::{PassError, PassReport, optimize};
use crate::plan::{Cost, Plan, PlanError, plan};
use crate::program::{Net, Program};
use crate::raise::{RaiseError, Raised, Recognisers, raise, raise_with};

/// What may be chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Run only so many passes: a wrong image can be traced to one rewrite.
    pub stop_after: Option<usize>,
}

/// A compiled pair and how it came about.
#[derive(Clone, Debug, PartialEq)]
pub struct Compiled {
    /// The plan.
    pub plan: Plan,
    /// One per backbone, in the order of declaration.
    pub backbones: Vec<Stages>,
}

/// What one backbone went through. Its optimized network is in the plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Stages {
    /// Time that the expanded code took to build the graph.
    pub build: Duration,
    /// The program as raised, and what was recognised.
    pub raised: Raised,
    /// What each pass did.
    pub passes: Vec<PassReport>,
}

/// A pair that could not be compiled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CompileError {
    /// A backbone's graph is no program.
    #[error("backbone {backbone}: {error}")]
    Raise {
        /// The backbone.
        backbone: String,
        /// Why.
        #[source]
        error: RaiseError,
    },
    /// A pass made a wrong program.
    #[error("backbone {backbone}: {error}")]
    Pass {
        /// The backbone.
        backbone: String,
        /// Which, and what is wrong.
        #[source]
        error: Box<PassError>,
    },
    /// The backbones are not those that the pair declares.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The plan would compute nonsense.
    #[error(transparent)]
    Null(#[from] Box<NullError>),
}

/// Builds, raises, optimizes and plans a pair. The plan is executed once without arithmetic before it is handed out.
pub fn compile(pair: &dyn Pair, options: &Options) -> Result<Compiled, CompileError> {
    let spec = pair.spec();
    let mut nets = Vec::new();
    let mut backbones = Vec::new();
    for (index, backbone) in spec.backbones.iter().enumerate() {
        let (net, cost, stages) = compile_one(pair, index, &backbone.name, options)?;
        nets.push((net, cost));
        backbones.push(stages);
    }
    let plan = plan(spec, nets)?;
    null::run(&plan, 1).map_err(Box::new)?;
    Ok(Compiled { plan, backbones })
}

fn compile_one(pair: &dyn Pair, index: usize, backbone: &str, options: &Options) -> Result<(Net, Cost, Stages), CompileError> {
    let start = Instant::now();
    let built = pair.build(index);
    let build = start.elapsed();
    let raised = raise(&built).map_err(|error| CompileError::Raise { backbone: backbone.into(), error })?;
    let mut net = Net::unsplit(raised.program.clone());
    let cost = net.cost();
    let passes =
        optimize(&mut net, options.stop_after).map_err(|error| CompileError::Pass { backbone: backbone.into(), error: Box::new(error) })?;
    Ok((net, cost, Stages { build, raised, passes }))
}

/// The graph of a backbone as it was built: a program in which every node is a primitive operator.
pub fn primitives(pair: &dyn Pair, backbone: usize) -> Result<Program, RaiseError> {
    Ok(raise_with(&pair.build(backbone), &Recognisers::none())?.program)
}
