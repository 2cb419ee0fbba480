//! Kernels for other machines: 8 kinds on 8 GPUs, through the driver. What fits is loaded, all else is refused before.

use duodiff::graph::cuda::{self, Cuda, CudaError, Gpu, Misfit, Options};
use duodiff::graph::emit::Cubin;
use duodiff::graph::launch::Precision;
use duodiff::graph::target::{Sm, Target};

use crate::common::pairs::Tiny;
use crate::kit::{Kit, driver};

/// GPUs and drivers, as the driver in NVIDIA's place reads them.
const GPUS: [(&str, u32); 8] = [
    ("T4,7.5,15360,40,65536", 13_000),
    ("A100,8.0,81920,108,166912", 13_000),
    ("A40,8.6,46080,84,101376", 13_010),
    ("L40S,8.9,46080,142,101376", 13_020),
    ("H100,9.0,81559,132,232448", 13_000),
    ("H200,9.0,143771,132,232448", 12_080),
    ("B200,10.0,183359,148,232448", 13_000),
    ("RTX 5090,12.0,32607,170,101376", 13_000),
];

/// Rows: targets as in `Target::ALL`; columns: the GPUs above. `+` runs, `d` wants a newer driver, `.` is another kind.
const TABLE: [&str; 8] = ["++++++++", ".+++....", "..++....", "...+....", "....+d..", "....+d..", "......+.", ".......+"];

/// An executor of kernels that say they are for `sm`.
fn load(kit: &Kit, sm: Sm) -> Result<Cuda, CudaError> {
    let cubins: Vec<_> = kit.cubins.iter().map(|cubin| Cubin { target: sm, ..cubin.clone() }).collect();
    let options = Options { batch: 1, precision: kit.precision };
    Cuda::new(Gpu::open(0)?, kit.plan.clone(), kit.weights.clone(), &cubins, options)
}

#[test]
fn eight_targets_on_eight_gpus() {
    let Some((driver, compiler)) = driver() else { return };
    let kit = Kit::new(&compiler, &Tiny, Precision::F32);
    let mut found = Vec::new();
    for target in Target::ALL {
        let mut row = String::new();
        for (gpu, version) in GPUS {
            driver.reset(&format!("{version};{gpu}"));
            let said = cuda::fit(target, &cuda::devices().expect("GPUs")[0]);
            row.push(match &said {
                Ok(()) => '+',
                Err(Misfit::Driver { .. }) => 'd',
                Err(Misfit::Capability { .. }) => '.',
            });
            let Some(sm) = target.gpu() else { continue };
            match (load(&kit, sm), said) {
                (Ok(cuda), Ok(())) => assert_eq!(cuda.target(), sm),
                (Err(CudaError::Misfit(why)), Err(said)) => assert_eq!(why, said),
                (made, said) => panic!("{target} on {gpu}: said {said:?}, found {:?}", made.err()),
            }
            assert!(driver.live() == 0 && (row.ends_with('+') || driver.peak() == 0), "{target} on {gpu}");
        }
        found.push(row);
    }
    assert_eq!(found, TABLE);
}

#[test]
fn what_is_missing_is_named() {
    let Some((driver, compiler)) = driver() else { return };
    let kit = Kit::new(&compiler, &Tiny, Precision::F32);
    let options = Options { batch: 1, precision: kit.precision };
    let refusal = |cubins: &[Cubin], ordinal: usize, options: Options| {
        let made = Gpu::open(ordinal).and_then(|gpu| Cuda::new(gpu, kit.plan.clone(), kit.weights.clone(), cubins, options));
        made.err().expect("a refusal").to_string()
    };
    let (first, rest) = kit.cubins.split_first().expect("cubins");
    assert_eq!(refusal(&[], 0, options), "there are no kernels for a GPU -- make the bundle again with duodiff compile --target sm_90a");
    assert_eq!(refusal(&kit.cubins, 1, options), "there is no GPU 1, the machine has 1 -- use --device cuda:0");
    let missing = format!("the kernels for sm_90a lack {}, which f32 needs", first.module.name());
    assert!(refusal(rest, 0, options).starts_with(&missing));
    let cut = Cubin { bytes: first.bytes[..first.bytes.len() - 1].to_vec(), ..first.clone() };
    let damaged: Vec<_> = std::iter::once(cut).chain(rest.iter().cloned()).collect();
    assert!(refusal(&damaged, 0, options).contains(" for sm_90a is no whole ELF file -- "));
    assert_eq!(refusal(&kit.cubins, 0, Options { batch: 0, ..options }), "batch is 0, at least 1 is needed");
    driver.reset("13000");
    assert_eq!(refusal(&kit.cubins, 0, options), "the NVIDIA driver finds no GPU -- use --device cpu");
}
