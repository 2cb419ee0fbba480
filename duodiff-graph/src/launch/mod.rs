//! From a plan to launches: which kernel with which grid, block and arguments, as plain data without a driver.
//!
//! A [`DevicePlan`] is a plan prepared for a kind of GPU and a precision: layer norms are operators of their own or folded into products,
//! and values have places in bytes. From it the launches of every program follow at any batch; addresses in them are symbolic.

mod address;
mod device;
mod entry;
mod error;
mod folds;
mod gpu;
mod kernel;
mod lower;
mod module;
mod precision;
mod products;
mod solver;
mod tensor;
#[cfg(test)]
mod tests;
mod text;
mod unfused;
mod warpgroups;

pub use address::{Address, Argument, Axis, Region, View, Window};
pub use device::{DeviceNet, DevicePlan, DeviceProgram, Entries, Stage};
pub use error::LaunchError;
pub use folds::{Folded, FoldedPart};
pub use gpu::{Gpu, WARPGROUP_TILES};
pub use kernel::{Kernel, Launch};
pub use module::Module;
pub use precision::{Element, Precision, PrecisionError};
pub use solver::{finish, guide, scale_image, start, update};
pub use tensor::{SPAN, Tensor};
pub use warpgroups::WarpgroupTile;

use std::collections::BTreeSet;

use crate::plan::Plan;
use crate::target::Target;

/// Every module that a plan may launch kernels of, at any batch, on any GPU.
pub fn modules(plan: &Plan, precision: Precision) -> Result<BTreeSet<Module>, LaunchError> {
    let of = |sm| DevicePlan::new(plan, precision, sm)?.modules();
    Target::ALL.into_iter().filter_map(Target::gpu).try_fold(BTreeSet::new(), |all, sm| Ok(&all | &of(sm)?))
}
