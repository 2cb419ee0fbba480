//! Where a pair is executed: the choice between the CPU and the machine's GPUs, from what is asked for and what there are kernels for.

mod engine;
#[cfg(test)]
mod tests;

use duodiff::graph::cuda::{self, CudaError, DeviceRecord};
use duodiff::graph::executor::ExecutorError;
use duodiff::graph::launch::Precision;
use duodiff::graph::target::{Sm, Target};

use crate::args::DeviceArg;
use crate::error::{Exit, Failure, Result};

pub use duodiff::graph::bundle::Cuda as Kernels;
pub use engine::Engine;

/// The machine's GPUs, or why there are none.
pub type Gpus = std::result::Result<Vec<DeviceRecord>, CudaError>;

/// What a pair can be executed on.
#[derive(Clone, Debug, PartialEq)]
pub struct Offer {
    /// What the pair comes from, fit to be shown.
    pub name: String,
    /// Name of the pair.
    pub pair: String,
    /// The machines that it was compiled for.
    pub targets: Vec<Target>,
    /// What GPUs run, if they are among them.
    pub kernels: Option<Kernels>,
}

/// Where it is executed.
#[derive(Debug, PartialEq)]
pub enum Place {
    /// On this machine's cores; if there are kernels for GPUs, why on none of those.
    Cpu(Option<String>),
    /// On a GPU.
    Gpu {
        /// Which.
        record: DeviceRecord,
        /// The kind of GPU that its kernels are for.
        target: Sm,
        /// All kernels.
        kernels: Kernels,
    },
}

impl Place {
    /// Chooses; `devices` asks for the machine's GPUs, and only if there is something for them to do.
    pub fn choose(asked: DeviceArg, offer: Offer, devices: impl FnOnce() -> Gpus) -> Result<Self> {
        let (ordinal, kernels) = match (asked, &offer.kernels) {
            (DeviceArg::Cpu, _) | (DeviceArg::Auto, None) => return offer.cpu(None),
            (DeviceArg::Cuda(_), None) => return Err(offer.without_kernels()),
            (DeviceArg::Cuda(ordinal), Some(_)) => (Some(ordinal), &offer.targets),
            (DeviceArg::Auto, Some(_)) => (None, &offer.targets),
        };
        let found = devices().and_then(|all| find(ordinal, all, &kinds(kernels)));
        match (found, ordinal) {
            (Ok((record, target)), _) => {
                let kernels = offer.kernels.expect("invariant: no GPU is looked for without kernels");
                Ok(Self::Gpu { record, target, kernels })
            }
            (Err(why), None) if why.is_misfit() => offer.cpu(Some(why.to_string())),
            (Err(why), None) => Err(failed(&why).hint("--device cpu")),
            (Err(why), Some(_)) => Err(failed(&why)),
        }
    }

    /// What decides the bits of images, besides plan and weights.
    pub fn computes(&self) -> (Target, Precision) {
        match self {
            Self::Cpu(_) => (Target::Cpu, Precision::F32),
            Self::Gpu { target, kernels, .. } => ((*target).into(), kernels.precision),
        }
    }
}

impl Offer {
    fn cpu(&self, without_gpu: Option<String>) -> Result<Place> {
        if self.targets.contains(&Target::Cpu) {
            return Ok(Place::Cpu(without_gpu));
        }
        let why = without_gpu.map_or_else(|| ", not for cpu".to_owned(), |why| format!(": {why}"));
        let message = format!("{} is compiled for {}{why}", self.name, self.names());
        Err(Failure::new(Exit::Misfit, message).hint(format!("a bundle made with duodiff compile {} --target cpu", self.pair)))
    }

    fn without_kernels(&self) -> Failure {
        let message = format!("{} is compiled for {}, not for a GPU", self.name, self.names());
        let hint = format!("duodiff compile {} --target sm_90a -o x.duo, then duodiff sample x.duo", self.pair);
        Failure::new(Exit::Misfit, message).hint(hint)
    }

    fn names(&self) -> String {
        self.targets.iter().map(|target| target.name()).collect::<Vec<_>>().join(", ")
    }
}

/// The kinds of GPU among targets.
pub fn kinds(targets: &[Target]) -> Vec<Sm> {
    targets.iter().filter_map(|target| target.gpu()).collect()
}

/// The GPU of a number, or the first that one of the kinds fits; else why none, or not this one.
fn find(ordinal: Option<usize>, all: Vec<DeviceRecord>, kinds: &[Sm]) -> std::result::Result<(DeviceRecord, Sm), CudaError> {
    let count = all.len();
    let mut refused = ordinal.map_or(CudaError::NoDevice, |found| CudaError::Ordinal { found, count });
    let asked = all.into_iter().filter(|record| ordinal.is_none_or(|ordinal| ordinal == record.ordinal));
    for (index, record) in asked.enumerate() {
        match cuda::choose(kinds, &record) {
            Ok(target) => return Ok((record, target)),
            Err(why) if index == 0 => refused = why.into(),
            Err(_) => {}
        }
    }
    Err(refused)
}

/// What to type if a batch is too large.
pub const SMALLER: &str = "a smaller --batch, e.g. --batch 1";

/// What to type after a device failed.
pub const AGAIN: &str = "the same command again: it goes on from there";

/// An evaluation that failed.
pub fn not_executed(why: &ExecutorError) -> Failure {
    match why {
        ExecutorError::Device(why) => Failure::new(Exit::Device, why.to_string()).hint("the same command again, or --device cpu"),
        why => Failure::new(Exit::Failed, why.to_string()),
    }
}

/// A failure of CUDA, with the exit code of its kind.
pub fn failed(why: &CudaError) -> Failure {
    let exit = match why {
        CudaError::Memory { .. } => Exit::Resources,
        CudaError::Device(_) => return Failure::new(Exit::Device, why.to_string()).hint(AGAIN),
        CudaError::Launch(_) | CudaError::Zero => Exit::Usage,
        CudaError::Weights { .. } | CudaError::Cubin { .. } => Exit::Input,
        _ => Exit::Misfit,
    };
    Failure::new(exit, why.to_string())
}
