//! Single evaluations: every backbone at times of its own, in both precisions.

use duodiff::Pair;
use duodiff::graph::executor::Executor;
use duodiff::graph::launch::Precision;
use duodiff::graph::noise::{Noise, Philox};

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
    let elements = kit.plan.spec.image.elements();
    let mut x = vec![0.0; 3 * elements];
    for (index, image) in x.chunks_exact_mut(elements).enumerate() {
        Philox { seed: 7 }.fill(index as u64, 0, image);
    }
    let labels = kit.plan.spec.classes.map(|_| [0, 7, 3]);
    let (mut cpu, mut cuda) = (kit.cpu(3), kit.cuda(3));
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
