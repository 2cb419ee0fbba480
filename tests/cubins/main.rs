//! The kernels of all declared pairs, compiled for three kinds of GPU: what the compiler makes of them fits the launches, keeps nothing on
//! a stack, and computes on tensor cores where it should. Needs a CUDA toolkit in `CUDA_HOME` with nvcc, NVRTC, cuobjdump and nvdisasm;
//! `DUODIFF_REQUIRE_CUDA=1` makes its absence a failure.

mod listing;
mod set;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use duodiff::graph::emit::{Compiler, Nvrtc};
use duodiff::graph::launch::{Gpu, Module};
use duodiff::graph::target::Sm;
use listing::{Parameters, Resources};
use set::{SMS, set};

/// Registers of a multiprocessor, all of which one block may have.
const REGISTERS: u32 = 65_536;

/// Kernels that have an array on their stack: bytes that are no spills.
const ARRAYS: &[(&str, u32)] = &[("primitive", 32)];

#[test]
fn the_set_is_small_and_compiles_in_minutes() {
    let Some(set) = set() else { return };
    for sm in SMS {
        let count = set.cubins.iter().filter(|cubin| cubin.target == sm).count();
        assert!((1..=24).contains(&count), "{count} cubins for {sm}");
    }
    println!("{} cubins in {:.0} s", set.cubins.len(), set.took.as_secs_f64());
    assert!(set.took <= Duration::from_secs(12 * 60), "{:?}", set.took);
}

#[test]
fn every_launch_fits_the_parameters_of_its_kernel() {
    let Some(set) = set() else { return };
    let compiler = &set.toolchain.compiler;
    let read = |unit| Parameters::of(&String::from_utf8(compiler.ptx(unit, Sm::Sm90a).expect("PTX")).expect("text"));
    let kernels: BTreeMap<_, _> = set.units.iter().map(|(module, unit)| (*module, read(unit))).collect();
    for used in &set.uses {
        let (module, entry) = (used.kernel.module, used.kernel.entry.as_str());
        let found = kernels[&module].get(entry).unwrap_or_else(|| panic!("{module} has no kernel {entry}"));
        assert_eq!((used.block, &used.sizes), (found.threads, &found.sizes), "{entry}: threads of a block, bytes of each argument");
    }
}

#[test]
fn nothing_spills_and_every_block_fits() {
    let Some(set) = set() else { return };
    let mut spills = Vec::new();
    for cubin in &set.cubins {
        let Some(listed) = set.tool("cuobjdump", "--dump-resource-usage", cubin) else { return };
        let kernels = Resources::of(&listed);
        assert!(!kernels.is_empty(), "{listed}");
        for (entry, Resources { registers, stack, shared }) in &kernels {
            let name = format!("{entry} for {}", cubin.target);
            let array = ARRAYS.iter().find(|(known, _)| known == entry).map_or(0, |(_, bytes)| *bytes);
            if *stack > array {
                spills.push(format!("{name}: {stack} bytes of stack, {registers} registers"));
            }
            for used in set.uses.iter().filter(|used| used.sm == cubin.target && used.kernel.entry == *entry) {
                // Registers are given to warps, eight to each thread at a time.
                let taken = registers.next_multiple_of(8) * used.block.next_multiple_of(32);
                assert!(taken <= REGISTERS, "{name}: {taken} registers in a block of {}", used.block);
                let most = Gpu::of(cubin.target).shared;
                assert!(shared + used.shared <= most, "{name}: {} of {most} bytes of shared memory", shared + used.shared);
            }
        }
        let entries: BTreeSet<_> = kernels.keys().map(String::as_str).collect();
        let wanted = set.uses.iter().filter(|used| used.sm == cubin.target && used.kernel.module == cubin.module);
        wanted.for_each(|used| assert!(entries.contains(used.kernel.entry.as_str()), "{} has no {}", cubin.module, used.kernel));
    }
    assert!(spills.is_empty(), "{spills:#?}");
}

#[test]
fn tensor_cores_compute_where_they_are_meant_to() {
    let Some(set) = set() else { return };
    for cubin in &set.cubins {
        let Some(sass) = set.tool("nvdisasm", "-c", cubin) else { return };
        let meant = match cubin.module {
            Module::LinearMma(..) | Module::AttentionMma => Some("HMMA"),
            Module::LinearWgmma(_) => Some("HGMMA"),
            _ => None,
        };
        for (entry, code) in listing::functions(&sass) {
            assert!(code.contains("EXIT"), "{entry}: no code");
            let found = ["HMMA", "HGMMA"].into_iter().find(|name| code.contains(name));
            assert_eq!(found, meant, "{entry} for {}: instructions of tensor cores", cubin.target);
            // Copies of boxes, and of rows of images.
            let copies = ["UTMALDG.2D ", "UTMALDG.3D.IM2COL "].map(|name| code.contains(name));
            assert_eq!(copies, [matches!(cubin.module, Module::LinearWgmma(_)); 2], "{entry} for {}: the copy engine", cubin.target);
        }
    }
}

#[test]
fn nvrtc_compiles_the_same_kernels() {
    let Some(set) = set() else { return };
    let root = &set.toolchain.root;
    let Some(path) = Nvrtc::locate(root) else { return set::skip("needs NVRTC in CUDA_HOME") };
    let nvrtc = Compiler::Nvrtc(Nvrtc::probe(&path, root).expect("NVRTC"));
    for cubin in set.cubins.iter().filter(|cubin| cubin.target == Sm::Sm90a) {
        let unit = &set.units[&cubin.module];
        let bytes = nvrtc.cubin(unit, cubin.target).expect("a cubin");
        let other = duodiff::graph::emit::Cubin { bytes, ..*cubin };
        let [Some(a), Some(b)] = [cubin, &other].map(|cubin| set.tool("cuobjdump", "--dump-resource-usage", cubin)) else { return };
        let [a, b] = [a, b].map(|listed| Resources::of(&listed).into_keys().collect::<Vec<_>>());
        assert_eq!(a, b, "{}", cubin.module);
    }
}
