//! Whether what was compiled for a target runs on a GPU: a pure function of target, capability and driver.

use super::DeviceRecord;
use crate::target::{Sm, Target};

/// The CUDA version that the kernels are compiled with: older drivers cannot load them.
pub const CUDA: u32 = 13_000;

/// Why it does not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// An older driver than the kernels need.
    #[error(
        "{device} has a driver for CUDA {found}, the kernels need {}.{} -- install the NVIDIA driver 580 or newer, or use --device cpu",
        CUDA / 1000, CUDA % 1000 / 10
    )]
    Driver {
        /// The GPU.
        device: String,
        /// What its driver knows, e.g. `12.8`.
        found: String,
    },
    /// Kernels of another kind of GPU.
    #[error("{device} has compute capability {}.{}, the kernels are for {compiled} -- {mend}", found.0, found.1)]
    Capability {
        /// The GPU.
        device: String,
        /// Its capability.
        found: (u32, u32),
        /// The targets, with commas.
        compiled: String,
        /// What to type.
        mend: String,
    },
}

/// Whether a GPU of this capability executes code of a kind: of its major version and no higher minor one; of exactly its own, where the
/// code uses what only that has.
fn runs(sm: Sm, capability: (u32, u32)) -> bool {
    let (major, minor) = sm.capability();
    if sm.is_exact() { (major, minor) == capability } else { major == capability.0 && minor <= capability.1 }
}

/// The kinds that may be compiled for and that a GPU of this capability executes, the closest last.
fn kinds(capability: (u32, u32)) -> impl Iterator<Item = Sm> {
    Target::ALL.into_iter().filter_map(Target::gpu).filter(move |sm| runs(*sm, capability))
}

/// Refuses a target that does not run on a GPU. The CPU is always there.
pub fn fit(target: Target, device: &DeviceRecord) -> Result<(), Misfit> {
    match target.gpu() {
        None => Ok(()),
        Some(sm) => choose(&[sm], device).map(|_| ()),
    }
}

/// The closest of the compiled kinds to a GPU.
pub fn choose(compiled: &[Sm], device: &DeviceRecord) -> Result<Sm, Misfit> {
    let closest = kinds(device.capability).filter(|sm| compiled.contains(sm)).last();
    let Some(closest) = closest else {
        let mend = match kinds(device.capability).last() {
            Some(sm) => format!("make the bundle again with duodiff compile --target {sm}"),
            None => "this version has no kernels for it: use --device cpu".to_owned(),
        };
        let compiled = compiled.iter().map(|sm| sm.name()).collect::<Vec<_>>().join(",");
        return Err(Misfit::Capability { device: device.name.clone(), found: device.capability, compiled, mend });
    };
    match device.driver {
        found if found < CUDA => Err(Misfit::Driver { device: device.name.clone(), found: device.cuda_version() }),
        _ => Ok(closest),
    }
}

/// The kind that kernels for this GPU are best compiled for.
pub fn best(device: &DeviceRecord) -> Option<Sm> {
    kinds(device.capability).last()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(name: &str, capability: (u32, u32), driver: u32) -> DeviceRecord {
        DeviceRecord { ordinal: 0, name: name.into(), capability, driver, memory: 1 << 34, processors: 100, shared: 101_376 }
    }

    /// Rows: targets as in `Target::ALL`; columns: the GPUs below. `+` fits, `d` wants a newer driver, `.` is another kind.
    const TABLE: [&str; 8] = ["++++++++", ".+++....", "..++....", "...+....", "....+d..", "....+d..", "......+.", ".......+"];

    fn gpus() -> [DeviceRecord; 8] {
        [
            device("T4", (7, 5), 13_000),
            device("A100", (8, 0), 13_000),
            device("A40", (8, 6), 13_010),
            device("L40S", (8, 9), 13_020),
            device("H100", (9, 0), 13_000),
            device("H200", (9, 0), 12_080),
            device("B200", (10, 0), 13_000),
            device("RTX 5090", (12, 0), 13_000),
        ]
    }

    #[test]
    fn every_target_on_every_gpu() {
        let mut found = Vec::new();
        for target in Target::ALL {
            let mark = |device: &DeviceRecord| match fit(target, device) {
                Ok(()) => '+',
                Err(Misfit::Driver { .. }) => 'd',
                Err(Misfit::Capability { .. }) => '.',
            };
            found.push(gpus().iter().map(mark).collect::<String>());
        }
        assert_eq!(found, TABLE);
    }

    #[test]
    fn the_closest_kind_is_taken() {
        let [_, a100, a40, l40s, h100, ..] = gpus();
        let compiled = [Sm::Sm80, Sm::Sm86, Sm::Sm90, Sm::Sm90a];
        let chosen = [a100, a40, l40s, h100].map(|device| choose(&compiled, &device).unwrap());
        assert_eq!(chosen, [Sm::Sm80, Sm::Sm86, Sm::Sm86, Sm::Sm90a]);
    }

    #[test]
    fn refusals_say_what_to_type() {
        let [t4, a100, .., h200, _, _] = gpus();
        let message = |sm, device| choose(&[sm], &device).unwrap_err().to_string();
        assert_eq!(
            message(Sm::Sm90a, a100),
            "A100 has compute capability 8.0, the kernels are for sm_90a -- make the bundle again with duodiff compile --target sm_80"
        );
        assert_eq!(
            message(Sm::Sm80, t4),
            "T4 has compute capability 7.5, the kernels are for sm_80 -- this version has no kernels for it: use --device cpu"
        );
        assert_eq!(
            message(Sm::Sm90, h200),
            "H200 has a driver for CUDA 12.8, the kernels need 13.0 -- install the NVIDIA driver 580 or newer, or use --device cpu"
        );
    }
}
