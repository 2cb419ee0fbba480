//! Single evaluations: every backbone at times of its own, in both precisions.

use duodiff::graph::cuda::Cuda;
use duodiff::graph::executor::Executor;
use duodiff::graph::launch::{Gpu, Module, Precision, WARPGROUP_TILES};
use duodiff::graph::noise::{Noise, Philox};
use duodiff::graph::program::Activation;
use duodiff::{Mnist, Pair};

use crate::common::distance;
use crate::common::dit::Stitched;
use crate::common::pairs::{Cond, MlpTime, Odd, Uncond};
use crate::kit::{Kit, driver, relative};

/// Bound on the largest difference in float32.
const FORWARD: f32 = 1e-4;

/// Bound on the relative error in bfloat16.
const ROUNDED: f64 = 2e-2;

/// Both executors' outputs for three images at three times, by backbone.
fn outputs(kit: &Kit) -> Vec<[Vec<f32>; 2]> {
    outputs_of(kit, kit.cuda(3))
}

fn outputs_of(kit: &Kit, mut cuda: Cuda) -> Vec<[Vec<f32>; 2]> {
    let elements = kit.plan.spec.image.elements();
    let mut x = vec![0.0; 3 * elements];
    for (index, image) in x.chunks_exact_mut(elements).enumerate() {
        Philox { seed: 7 }.fill(index as u64, 0, image);
    }
    let labels = kit.plan.spec.classes.map(|_| [0, 7, 3]);
    let mut cpu = kit.cpu(3);
    let executors: [&mut dyn Executor; 2] = [&mut cpu, &mut cuda];
    let mut outputs = vec![[Vec::new(), Vec::new()]; kit.plan.backbones.len()];
    for (index, executor) in executors.into_iter().enumerate() {
        for (backbone, outputs) in outputs.iter_mut().enumerate() {
            let mut out = vec![f32::NAN; x.len()];
            let labels = labels.as_ref().map(<[u32; 3]>::as_slice);
            executor.forward(backbone, &x, &[999.0, 12.5, 0.0], labels, &mut out).expect("a forward");
            outputs[index] = out;
        }
    }
    outputs
}

#[test]
fn float32_is_the_cpu() {
    let Some((_driver, compiler)) = driver() else { return };
    let pairs: [(&dyn Pair, &str); 5] =
        [(&Uncond, "uncond"), (&Cond, "cond"), (&MlpTime, "mlp time"), (&Odd, "odd"), (&Stitched, "stitched")];
    for (pair, name) in pairs {
        for [wanted, found] in outputs(&Kit::new(&compiler, pair, Precision::F32)) {
            let off = distance(&found, &wanted);
            println!("{name}: {off:.1e}");
            assert!(off <= FORWARD, "{name}: {off}");
        }
    }
}

#[test]
fn bfloat16_is_near() {
    let Some((_driver, compiler)) = driver() else { return };
    let pairs: [(&dyn Pair, &str); 3] = [(&Uncond, "uncond"), (&MlpTime, "mlp time"), (&Odd, "odd")];
    for (pair, name) in pairs {
        for [wanted, found] in outputs(&Kit::new(&compiler, pair, Precision::Bf16)) {
            let off = relative(&found, &wanted);
            println!("{name}: {off:.1e}");
            assert!(off <= ROUNDED && off > 1e-5, "{name}: {off}");
        }
    }
}

#[test]
fn folded_norms_are_no_worse() {
    let Some((_driver, compiler)) = driver() else { return };
    let kits = [
        ("uncond", Kit::new(&compiler, &Uncond, Precision::Bf16)),
        ("cond", Kit::new(&compiler, &Cond, Precision::Bf16)),
        ("mnist", Kit::new(&compiler, &Mnist, Precision::Bf16).with_weights("models/weights", "mnist")),
    ];
    for (name, kit) in kits {
        let off = |folds_norms| {
            let outputs = outputs_of(&kit, kit.cuda_with(3, |known| Gpu { folds_norms, ..known }));
            outputs.iter().map(|[wanted, found]| relative(found, wanted)).fold(0.0, f64::max)
        };
        let (folded, unfolded) = (off(true), off(false));
        println!("{name}: folded {folded:.2e}, by themselves {unfolded:.2e}");
        assert!(folded != unfolded && folded <= ROUNDED && folded <= 1.5 * unfolded, "{name}: {folded:.2e}, by themselves {unfolded:.2e}");
    }
}

#[test]
fn products_on_warpgroups_are_near() {
    let Some((driver, compiler)) = driver() else { return };
    let gelu = Some(Activation::Gelu);
    let kit = Kit::new(&compiler, &Uncond, Precision::Bf16).with_modules(&compiler, [None, gelu].map(Module::LinearWgmma));
    let with_warpgroups = |known| Gpu { warpgroup_tiles: Some(WARPGROUP_TILES), ..known };
    let outputs = outputs_of(&kit, kit.cuda_with(3, with_warpgroups));
    assert!(driver.log().iter().any(|line| line.starts_with("launch linear_wgmma_bf16")), "no product on warpgroups was launched");
    for [wanted, found] in outputs {
        let off = relative(&found, &wanted);
        println!("uncond on warpgroups: {off:.1e}");
        assert!(off <= ROUNDED && off > 1e-5, "{off}");
    }
}
