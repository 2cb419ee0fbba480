//! Order, cache, failures and stops, with a made-up compiler.

use std::fs;
use std::ops::ControlFlow;
use std::sync::Mutex;

use super::fake::{Fake, jobs, unit};
use crate::emit::{Cache, Cubin, EmitError, Event, Options, Unit, cubins};
use crate::launch::Module;
use crate::target::Sm;

const FIRST: Module = Module::Image;
const SECOND: Module = Module::AttentionMma;
const THIRD: Module = Module::Primitive;

const TARGETS: [Sm; 2] = [Sm::Sm80, Sm::Sm90a];

fn make(fake: &Fake, units: &[Unit], threads: usize, cache: Option<Cache>) -> Result<Vec<Cubin>, EmitError> {
    let options = Options { threads, cache };
    cubins(&fake.toolchain().compiler, &jobs(units, &TARGETS), &options, &|_| ControlFlow::Continue(()))
}

#[test]
fn the_order_is_that_of_targets_and_units() {
    let fake = Fake::new();
    let units = [unit(FIRST, "fake: slow"), unit(SECOND, "b"), unit(THIRD, "c")];
    let made = make(&fake, &units, 1, None).unwrap();
    let names: Vec<_> = made.iter().map(|cubin| (cubin.target, cubin.module)).collect();
    let wanted = TARGETS.map(|target| [FIRST, SECOND, THIRD].map(|module| (target, module)));
    assert_eq!(names, wanted.as_flattened());
    assert!(make(&fake, &units, 3, None).unwrap() == made);
    let flags = "-std=c++17 -O3 -m64 -ftz=false -prec-div=true -prec-sqrt=true --expt-relaxed-constexpr";
    let call = format!(
        "{flags} -arch=sm_90a -Xcicc --orig_src_path_name=attention_mma_bf16.cu -Dattention_mma_bf16 -cubin -o attention_mma_bf16.cubin attention_mma_bf16.cu"
    );
    assert_eq!(fake.calls().iter().filter(|found| **found == call).count(), 2, "{:#?}", fake.calls());
    assert_eq!(made[4].bytes, format!("\x7fELF{call}\nb").into_bytes());
}

#[test]
fn nothing_is_compiled_twice() {
    let fake = Fake::new();
    let folder = tempfile::tempdir().unwrap();
    let cache = || Some(Cache::new(folder.path()));
    let units = [unit(FIRST, "a"), unit(SECOND, "b")];
    let made = make(&fake, &units, 2, cache()).unwrap();
    assert_eq!(fake.calls().len(), 4);
    assert!(make(&fake, &units, 2, cache()).unwrap() == made);
    assert_eq!(fake.calls().len(), 4, "all from the cache");
    let changed = [units[0].clone(), unit(SECOND, "B")];
    assert!(make(&fake, &changed, 2, cache()).unwrap() != made);
    assert_eq!(fake.calls().len(), 6, "the changed unit for two targets");
    let flagged = [Unit { flags: vec![], ..units[0].clone() }];
    make(&fake, &flagged, 2, cache()).unwrap();
    assert_eq!(fake.calls().len(), 8, "flags count");
    for entry in fs::read_dir(folder.path()).unwrap() {
        fs::write(entry.unwrap().path(), b"damaged").unwrap();
    }
    assert!(make(&fake, &units, 2, cache()).unwrap() == made);
    assert_eq!(fake.calls().len(), 12, "damaged entries are made again");
}

#[test]
fn a_cache_that_cannot_be_written_is_told_and_harmless() {
    let fake = Fake::new();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, b"").unwrap();
    let told = Mutex::new(0);
    let options = Options { threads: 1, cache: Some(Cache::new(file)) };
    let watch = |event: Event<'_>| {
        *told.lock().unwrap() += usize::from(matches!(event, Event::NotKept(_)));
        ControlFlow::Continue(())
    };
    assert_eq!(cubins(&fake.toolchain().compiler, &jobs(&[unit(FIRST, "a")], &TARGETS), &options, &watch).unwrap().len(), 2);
    assert_eq!(*told.lock().unwrap(), 2);
}

#[test]
fn failures_are_shown_cut_and_end_the_rest() {
    let fake = Fake::new();
    let units = [unit(FIRST, "fake: wrong"), unit(SECOND, "b"), unit(THIRD, "c")];
    let message = make(&fake, &units, 1, None).unwrap_err().to_string();
    assert!(message.starts_with("image for sm_80: the compiler failed\nimage.cu(0): error: no\nimage.cu(1): error: no\n"), "{message}");
    assert!(message.ends_with("image.cu(29): error: no\n… 20 more lines"), "{message}");
    assert_eq!(fake.calls().len(), 1);
    let message = make(&fake, &[unit(FIRST, "fake: other")], 1, None).unwrap_err().to_string();
    assert_eq!(message, "image for sm_80: nvcc 13.0.99 wrote 3 bytes that are no ELF file -- install the compiler again");
}

#[test]
fn a_target_that_the_compiler_does_not_know_is_refused_at_once() {
    let fake = Fake::new();
    let options = Options { threads: 1, cache: None };
    let refused =
        cubins(&fake.toolchain().compiler, &jobs(&[unit(FIRST, "a")], &[Sm::Sm80, Sm::Sm120]), &options, &|_| ControlFlow::Continue(()));
    let message = refused.unwrap_err().to_string();
    assert!(message.starts_with("nvcc 13.0.99 at /") && message.contains("sm_120, only for sm_80, sm_90, sm_90a -- set"), "{message}");
    assert!(fake.calls().is_empty());
}

#[test]
fn the_watcher_sees_every_module_and_may_stop() {
    let fake = Fake::new();
    let units = [unit(FIRST, "a"), unit(SECOND, "b")];
    let seen = Mutex::new(Vec::new());
    let watch = |event: Event<'_>| {
        let mut seen = seen.lock().unwrap();
        match event {
            Event::Started(job) => seen.push(format!("{} {}", job.unit.module, job.target)),
            Event::Done { done, total, compiled, .. } => seen.push(format!("{done}/{total} {}", compiled.is_some())),
            Event::NotKept(why) => panic!("{why}"),
        }
        if seen.len() == 4 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let stopped = cubins(&fake.toolchain().compiler, &jobs(&units, &TARGETS), &Options { threads: 1, cache: None }, &watch);
    assert!(matches!(stopped, Err(EmitError::Stopped)));
    assert_eq!(*seen.lock().unwrap(), ["image sm_80", "1/4 true", "attention_mma_bf16 sm_80", "2/4 true"]);
}
