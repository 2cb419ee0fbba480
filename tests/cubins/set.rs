//! The modules that any declared pair needs, compiled once for all tests, and everything that is launched of them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use duodiff::graph::compile::{self, compile};
use duodiff::graph::emit::{Cubin, Job, Options, Search, Toolchain, Unit, cubins, units};
use duodiff::graph::launch::{self, Argument, DevicePlan, Entries, Gpu, Kernel, Launch, Module, Precision, WARPGROUP_TILES};
use duodiff::graph::plan::Plan;
use duodiff::graph::target::Sm;

/// The oldest kind of GPU, and those that have instructions of their own.
pub const SMS: [Sm; 3] = [Sm::Sm80, Sm::Sm90a, Sm::Sm100];

/// Batches whose launches are looked at.
const BATCHES: [usize; 4] = [1, 8, 32, 128];

/// Most steps of a trajectory.
const STEPS: usize = 1000;

/// What is compiled, and what of it is launched.
pub struct Set {
    pub toolchain: Toolchain,
    pub units: BTreeMap<Module, Unit>,
    pub cubins: Vec<Cubin>,
    pub uses: BTreeSet<Use>,
    /// Time that the compiler took for all cubins.
    pub took: Duration,
}

/// A launch without its addresses and its grid.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Use {
    pub sm: Sm,
    pub kernel: Kernel,
    pub block: u32,
    pub shared: u32,
    /// Bytes of each argument.
    pub sizes: Vec<u32>,
}

/// Says why a test is skipped.
pub fn skip(why: &str) {
    assert!(std::env::var_os("DUODIFF_REQUIRE_CUDA").is_none(), "{why}");
    println!("skipped: {why}");
}

/// The set, if there is a compiler.
pub fn set() -> Option<&'static Set> {
    static SET: OnceLock<Option<Set>> = OnceLock::new();
    let set = SET.get_or_init(|| {
        let cuda_home = std::env::var_os("CUDA_HOME").map(PathBuf::from)?;
        let search = Search { cuda_home: Some(cuda_home), path: std::env::var_os("PATH"), ..Search::default() };
        Toolchain::find(&search).ok().map(Set::compile)
    });
    if set.is_none() {
        skip("needs a CUDA toolkit in CUDA_HOME");
    }
    set.as_ref()
}

impl Set {
    fn compile(toolchain: Toolchain) -> Self {
        let plan = |pair: &&dyn duodiff::Pair| compile(*pair, &compile::Options::default()).expect("a plan").plan;
        let plans: Vec<Plan> = duodiff::PAIRS.iter().map(plan).collect();
        // Modules that no pair needs are compiled too: those of operators that no recogniser claimed, and those that no table chooses.
        let wanted = SMS.into_iter().flat_map(|sm| Module::all_for(sm).map(move |module| (sm, module)));
        let mut all: BTreeMap<_, _> = wanted.map(|(sm, module)| ((sm, module), Unit::of(module).expect("a source"))).collect();
        let mut uses = BTreeSet::new();
        for (plan, precision) in plans.iter().flat_map(|plan| Precision::ALL.map(|precision| (plan, precision))) {
            for sm in SMS {
                let units = units(plan, precision, sm).expect("sources");
                all.extend(units.into_iter().map(|unit| ((sm, unit.module), unit)));
                for gpu in tables(sm) {
                    uses.extend(launches(plan, precision, gpu).map(|launch| Use::of(sm, &launch)));
                }
            }
        }
        let jobs: Vec<_> = all.iter().map(|((target, _), unit)| Job { unit, target: *target }).collect();
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let start = Instant::now();
        let cubins = cubins(&toolchain.compiler, &jobs, &Options { threads, cache: None }, &|_| ControlFlow::Continue(()));
        let (cubins, took) = (cubins.expect("cubins"), start.elapsed());
        let units = all.into_iter().map(|((_, module), unit)| (module, unit)).collect();
        Self { toolchain, units, cubins, uses, took }
    }

    /// What a tool of the toolkit prints about a cubin.
    pub fn tool(&self, name: &str, option: &str, cubin: &Cubin) -> Option<String> {
        let path = self.toolchain.root.join("bin").join(name);
        if !path.is_file() {
            skip(&format!("needs {name} in CUDA_HOME"));
            return None;
        }
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(file.path(), &cubin.bytes).expect("room for a cubin");
        let ran = Command::new(path).arg(option).arg(file.path()).output().expect("a tool that runs");
        assert!(ran.status.success(), "{name} {option}: {}", String::from_utf8_lossy(&ran.stderr));
        Some(String::from_utf8(ran.stdout).expect("text"))
    }
}

/// The tables that kernels are chosen by: the checked-in one, and one with the tiles that it may have.
fn tables(sm: Sm) -> Vec<Gpu> {
    let known = Gpu::of(sm);
    let other = (sm == Sm::Sm90a).then_some(Gpu { warpgroup_tiles: Some(WARPGROUP_TILES), ..known });
    [known].into_iter().chain(other).collect()
}

/// Everything that is launched for a pair.
fn launches(plan: &Plan, precision: Precision, gpu: Gpu) -> impl Iterator<Item = Launch> {
    let device = DevicePlan::with_table(plan, precision, gpu).expect("a plan for GPUs");
    let (elements, backbones) = (plan.spec.image.elements(), 0..plan.backbones.len());
    let networks = backbones.flat_map(move |backbone| {
        BATCHES.into_iter().flat_map(move |batch| [(backbone, batch, Entries::Step), (backbone, batch, Entries::Image)])
    });
    let networks = networks.flat_map(move |(backbone, batch, entries)| {
        let prelude = device.prelude(backbone, device.chunk(backbone, batch).min(STEPS)).expect("a prelude");
        [prelude, device.body(backbone, batch, entries).expect("a body")].concat()
    });
    let solver = BATCHES.into_iter().flat_map(move |batch| {
        [
            launch::start(0, elements, batch),
            launch::scale_image(elements, batch),
            launch::guide(1.0, elements, batch),
            launch::update(0, elements, batch),
        ]
    });
    networks.chain(solver.map(|launch| launch.expect("a small image")))
}

impl Use {
    fn of(sm: Sm, launch: &Launch) -> Self {
        let size = |argument: &Argument| match argument {
            Argument::Window(_) => 32,
            Argument::Tensor(_) => 128,
            Argument::View(_) => 256,
            Argument::Pointer(_) | Argument::U64(_) => 8,
            Argument::U32(_) | Argument::F32(_) => 4,
        };
        let Launch { kernel, block, shared, arguments, .. } = launch;
        Self { sm, kernel: kernel.clone(), block: *block, shared: *shared, sizes: arguments.iter().map(size).collect() }
    }
}
