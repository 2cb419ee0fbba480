//! The choice among machines, each made up.

use duodiff::graph::target::Sm;

use super::*;

fn record(ordinal: usize, name: &str, capability: (u32, u32), driver: u32) -> DeviceRecord {
    DeviceRecord { ordinal, name: name.into(), capability, driver, memory: 1 << 34, processors: 100, shared: 101_376 }
}

fn offer(targets: &[Target]) -> Offer {
    let gpus = !kinds(targets).is_empty();
    let kernels = gpus.then(|| Kernels { precision: Precision::Bf16, batches: vec![1, 8], cubins: Vec::new() });
    Offer { name: "x.duo".into(), pair: "Mnist".into(), targets: targets.to_vec(), kernels }
}

const BOTH: [Target; 2] = [Target::Cpu, Target::Gpu(Sm::Sm90a)];
const GPU: [Target; 1] = [Target::Gpu(Sm::Sm90a)];

fn choose(asked: DeviceArg, targets: &[Target], machine: Gpus) -> Result<Place> {
    Place::choose(asked, offer(targets), || machine)
}

fn refusal(asked: DeviceArg, targets: &[Target], machine: Gpus) -> (Exit, String) {
    let failure = choose(asked, targets, machine).unwrap_err();
    (failure.exit, failure.render())
}

#[test]
fn the_first_gpu_that_fits_is_taken() {
    let machine = vec![record(0, "A100", (8, 0), 13_000), record(1, "H100", (9, 0), 13_000), record(2, "H100", (9, 0), 13_000)];
    let place = choose(DeviceArg::Auto, &BOTH, Ok(machine.clone())).unwrap();
    assert_eq!(place.computes(), (Sm::Sm90a.into(), Precision::Bf16));
    assert!(matches!(place, Place::Gpu { record, .. } if record.ordinal == 1));
    let place = choose(DeviceArg::Cuda(2), &GPU, Ok(machine)).unwrap();
    assert!(matches!(place, Place::Gpu { record, .. } if record.ordinal == 2));
}

#[test]
fn the_cpu_stands_in_and_says_why() {
    let why = |machine| match choose(DeviceArg::Auto, &BOTH, machine).unwrap() {
        Place::Cpu(why) => why.unwrap(),
        Place::Gpu { .. } => panic!("a GPU was chosen"),
    };
    assert!(why(Err(CudaError::NoDriver)).starts_with("no NVIDIA driver was found"));
    assert!(why(Ok(vec![record(0, "A100", (8, 0), 13_000)])).starts_with("A100 has compute capability 8.0, the kernels are for sm_90a"));
    assert!(why(Ok(vec![record(0, "H100", (9, 0), 12_080)])).starts_with("H100 has a driver for CUDA 12.8"));
    let unasked = || panic!("a machine without kernels is not asked for GPUs");
    assert_eq!(Place::choose(DeviceArg::Auto, offer(&[Target::Cpu]), unasked), Ok(Place::Cpu(None)));
    assert_eq!(Place::choose(DeviceArg::Cpu, offer(&BOTH), unasked), Ok(Place::Cpu(None)));
}

#[test]
fn refusals_say_what_to_type() {
    let a100 = || Ok(vec![record(0, "A100", (8, 0), 13_000)]);
    for (asked, targets, machine, parts) in [
        (DeviceArg::Cpu, &GPU[..], a100(), ["x.duo is compiled for sm_90a, not for cpu", "duodiff compile Mnist --target cpu"]),
        (DeviceArg::Auto, &GPU, Err(CudaError::NoDriver), ["x.duo is compiled for sm_90a: no NVIDIA driver was found", "580"]),
        (DeviceArg::Auto, &GPU, a100(), ["A100 has compute capability 8.0", "duodiff compile --target sm_80"]),
        (DeviceArg::Cuda(0), &BOTH, a100(), ["A100 has compute capability 8.0", "duodiff compile --target sm_80"]),
        (DeviceArg::Cuda(1), &BOTH, a100(), ["there is no GPU 1, the machine has 1", "--device cuda:0"]),
        (DeviceArg::Cuda(0), &[Target::Cpu], a100(), ["not for a GPU", "duodiff compile Mnist --target sm_90a"]),
        (DeviceArg::Cuda(0), &BOTH, Err(CudaError::NoDriver), ["no NVIDIA driver was found", "--device cpu"]),
    ] {
        let (exit, text) = refusal(asked, targets, machine);
        assert_eq!(exit, Exit::Misfit, "{text}");
        assert!(parts.iter().all(|part| text.contains(part)), "{parts:?} in {text}");
    }
}
