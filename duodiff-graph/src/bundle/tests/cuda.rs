//! Bundles with cubins: written, read, and refused when list, targets and sections do not agree.

use super::*;
use crate::launch::{DevicePlan, Module, Precision};
use crate::target::Sm;

/// A bundle for the CPU and two kinds of GPU, with made-up cubins.
fn with_gpus(keep: Keep) -> Bundle {
    let mut bundle = minimal(keep);
    let gpus = [Sm::Sm80, Sm::Sm90a];
    let cubin = |target: Sm, module: Module| Cubin { target, module, bytes: format!("\x7fELF {target} {module}").into_bytes() };
    let modules = |sm| DevicePlan::new(&bundle.plan, Precision::Bf16, sm).unwrap().modules().unwrap();
    let cubins = gpus.iter().flat_map(|sm| modules(*sm).into_iter().map(|module| cubin(*sm, module))).collect();
    bundle.targets = vec![Target::Cpu, Sm::Sm80.into(), Sm::Sm90a.into()];
    bundle.cuda = Some(Cuda { precision: Precision::Bf16, batches: vec![1, 8], cubins });
    bundle
}

/// The message that refuses the bundle after a change.
fn refusal_of(change: impl FnOnce(&mut Bundle)) -> String {
    let mut bundle = with_gpus(Keep::Weights);
    change(&mut bundle);
    refusal(&write(&bundle))
}

fn cuda(bundle: &mut Bundle) -> &mut Cuda {
    bundle.cuda.as_mut().unwrap()
}

#[test]
fn what_is_written_is_read() {
    for keep in [Keep::Weights, Keep::Hashes] {
        let mut bundle = with_gpus(keep);
        assert_eq!(read(&write(&bundle)).unwrap(), bundle);
        bundle.targets.remove(0);
        assert_eq!(read(&write(&bundle)).unwrap(), bundle, "without the CPU");
    }
}

#[test]
fn every_truncation_and_some_edit_of_every_byte_is_refused() {
    let file = write(&with_gpus(Keep::Hashes));
    for at in 0..file.len() {
        assert!(read(&file[..at]).is_err(), "cut at {at}");
        let mut edited = file.clone();
        edited[at] ^= 0x10;
        assert!(read(&edited).is_err(), "byte {at}");
    }
}

#[test]
fn targets_list_and_cubins_must_agree() {
    let sections = "the sections it should have";
    let kernels = "not those that this duodiff launches";
    assert!(refusal_of(|bundle| bundle.cuda = None).contains(sections));
    assert!(refusal_of(|bundle| bundle.targets.truncate(1)).contains("list of cubins is malformed"));
    assert!(refusal_of(|bundle| bundle.targets.truncate(2)).contains(kernels));
    assert!(refusal_of(|bundle| bundle.targets.push(Sm::Sm100.into())).contains(kernels));
    assert!(refusal_of(|bundle| bundle.targets.swap(0, 1)).contains("manifest is malformed"));
    assert!(refusal_of(|bundle| bundle.targets.clear()).contains("manifest is malformed"));
    assert!(refusal_of(|bundle| cuda(bundle).cubins.swap(0, 1)).contains(kernels));
    assert!(refusal_of(|bundle| drop(cuda(bundle).cubins.pop())).contains(kernels));
    assert!(refusal_of(|bundle| cuda(bundle).precision = Precision::F32).contains(kernels));
    for batches in [vec![], vec![0], vec![8, 1], vec![1, 1], vec![BATCH + 1]] {
        assert!(refusal_of(|bundle| cuda(bundle).batches = batches).contains("list of cubins is malformed"));
    }
}

#[test]
fn sections_must_stand_in_their_order() {
    let file = write(&with_gpus(Keep::Weights));
    let swapped = |a: usize, b: usize| {
        let mut sections = sections::read(&file).unwrap();
        sections.swap(a, b);
        refusal(&sections::write(&sections))
    };
    let count = sections::read(&file).unwrap().len();
    assert!(swapped(3, 4).contains("the sections it should have"));
    assert!(swapped(2, 3).contains("the sections it should have"));
    assert!(swapped(count - 3, count - 2).contains("the sections it should have"));
    let hostile = with_section(&with_gpus(Keep::Weights), 2, vec![0xff; 100]);
    assert!(refusal(&hostile).contains("list of cubins is malformed"));
}
