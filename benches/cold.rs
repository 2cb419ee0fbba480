//! From nothing to the first step: the command as a process, and what it does before the first step.

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use criterion::{Criterion, Throughput};
use duodiff::Mnist;
use duodiff::graph::bundle::{self, Bundle, Keep};
use duodiff::graph::cpu::{Cpu, Options};
use duodiff::graph::weights::{Wanted, Weights};

use crate::measure::{measure, slow};
use crate::ready::plan;

/// The command in its release profile, built for the first that asks.
static DUODIFF: LazyLock<PathBuf> = LazyLock::new(|| {
    let here = std::env::current_exe().expect("a running program");
    let target = here.ancestors().nth(3).expect("cargo's folder, above those of profile and dependencies");
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "--release", "--package", "duodiff-cli", "--target-dir"]).arg(target);
    let built = build.current_dir(env!("CARGO_MANIFEST_DIR")).status();
    assert!(built.is_ok_and(|status| status.success()), "{build:?} failed");
    target.join("release/duodiff")
});

/// Process to first step, and the parts in which it may go wrong: reading the bundle and packing its weights.
pub fn cold(criterion: &mut Criterion) {
    let mut group = slow(criterion, "cold");
    let folder = std::env::temp_dir().join(format!("duodiff-bench-{}", std::process::id()));
    measure(&mut group, "process to first step", || first_step(&folder));
    let bytes = embedded();
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    measure(&mut group, "read a bundle", || drop(black_box(bundle::read(&bytes).expect("a bundle"))));
    let bundle = bundle::read(&bytes).expect("a bundle");
    measure(&mut group, "pack its weights", || {
        let weights = bundle.weights.clone().expect("weights inside");
        drop(black_box(Cpu::new(bundle.plan.clone(), weights, Options::default()).expect("weights that fit")));
    });
    group.finish();
}

/// One image of the embedded pair in one step, and its folder removed.
fn first_step(folder: &Path) {
    let mut command = Command::new(&*DUODIFF);
    command.args(["sample", "--quiet", "--count", "1", "--steps", "1", "-o"]).arg(folder).stdout(Stdio::null());
    assert!(command.status().is_ok_and(|status| status.success()), "{command:?} failed");
    std::fs::remove_dir_all(folder).expect("the run's folder");
}

/// The bytes of the embedded pair's bundle.
fn embedded() -> Vec<u8> {
    let plan = plan(&Mnist);
    let weights = Wanted::all(&plan).iter().map(|wanted| Weights::random(0, wanted)).collect();
    bundle::write(&Bundle::new(plan, weights, Keep::Weights))
}
