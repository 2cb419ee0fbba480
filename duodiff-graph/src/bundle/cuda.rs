//! The part of a bundle for GPUs: one section says what there is, one section per cubin holds it.

use serde::{Deserialize, Serialize};

use super::sections::{Section, SectionKind};
use super::{BundleError, decode, encode};
use crate::emit::Cubin;
use crate::launch::{DevicePlan, LaunchError, Module, Precision};
use crate::plan::Plan;
use crate::target::{Sm, Target};

/// Longest list of cubins, in bytes.
const LIST: usize = 1 << 16;

/// Longest cubin, in bytes.
const CUBIN: usize = 1 << 26;

/// Largest batch.
pub const BATCH: u32 = 4096;

/// What GPUs run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cuda {
    /// What products are computed in.
    pub precision: Precision,
    /// Batches to prepare for, ascending, each 1..=[`BATCH`].
    pub batches: Vec<u32>,
    /// Every module of the plan for every kind of GPU, in this order: by kind, then by module.
    pub cubins: Vec<Cubin>,
}

/// What the list says.
#[derive(Serialize, Deserialize)]
struct List {
    precision: Precision,
    batches: Vec<u32>,
    cubins: Vec<(Target, String)>,
}

/// The sections of a bundle's `cuda`.
pub(super) fn sections<'a>(cuda: &'a Cuda) -> Vec<Section<'a>> {
    let cubins = cuda.cubins.iter().map(|cubin| (cubin.target.into(), cubin.module.name().to_owned())).collect();
    let list = List { precision: cuda.precision, batches: cuda.batches.clone(), cubins };
    let list = Section { kind: SectionKind::Cuda, index: 0, bytes: encode(&list).into() };
    let cubin = |(index, cubin): (u32, &'a Cubin)| Section { kind: SectionKind::Cubin, index, bytes: cubin.bytes.as_slice().into() };
    std::iter::once(list).chain((0..).zip(&cuda.cubins).map(cubin)).collect()
}

/// Reads the sections that GPUs need off the front of `rest`. There must be some exactly if one of the targets is a GPU.
pub(super) fn read(rest: &mut &[Section<'_>], targets: &[Target], plan: &Plan) -> Result<Option<Cuda>, BundleError> {
    let gpus: Vec<Sm> = targets.iter().filter_map(|target| target.gpu()).collect();
    let Some((list, after)) = rest.split_first().filter(|(first, _)| first.kind == SectionKind::Cuda && first.index == 0) else {
        return if gpus.is_empty() { Ok(None) } else { Err(BundleError::Sections) };
    };
    let list: List = decode("list of cubins", &list.bytes, LIST)?;
    let batches = &list.batches;
    let ascends = batches.windows(2).all(|pair| pair[0] < pair[1]);
    if gpus.is_empty() || batches.is_empty() || !ascends || batches.iter().any(|batch| !(1..=BATCH).contains(batch)) {
        return Err(BundleError::Decode { section: "list of cubins" });
    }
    let needed = kernels(plan, list.precision, &gpus)?;
    let same = |((target, name), (sm, module)): (&(Target, String), &(Sm, Module))| *target == Target::Gpu(*sm) && name == module.name();
    if needed.len() != list.cubins.len() || !list.cubins.iter().zip(&needed).all(same) {
        return Err(BundleError::Kernels);
    }
    let (cubins, after) = after.split_at_checked(needed.len()).ok_or(BundleError::Sections)?;
    let cubin = |((index, section), (target, module)): ((u32, &Section<'_>), (Sm, Module))| {
        if section.kind != SectionKind::Cubin || section.index != index {
            return Err(BundleError::Sections);
        }
        if section.bytes.len() > CUBIN {
            return Err(BundleError::Long { section: "cubin", found: section.bytes.len(), most: CUBIN });
        }
        Ok(Cubin { target, module, bytes: section.bytes.to_vec() })
    };
    let cubins = (0..).zip(cubins).zip(needed).map(cubin).collect::<Result<_, _>>()?;
    *rest = after;
    Ok(Some(Cuda { precision: list.precision, batches: list.batches, cubins }))
}

/// Every module that the plan launches kernels of, on every kind of GPU.
fn kernels(plan: &Plan, precision: Precision, gpus: &[Sm]) -> Result<Vec<(Sm, Module)>, LaunchError> {
    let mut kernels = Vec::new();
    for sm in gpus {
        kernels.extend(DevicePlan::new(plan, precision, *sm)?.modules()?.into_iter().map(|module| (*sm, module)));
    }
    Ok(kernels)
}
