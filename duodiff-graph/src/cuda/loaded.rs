//! A plan on a GPU: kernels, weights and arena, everything that stays as it is from trajectory to trajectory.

use std::sync::Arc;

use super::arguments::Arguments;
use super::context::Context;
use super::memory::Buffer;
use super::module::Modules;
use super::places::{Params, Places};
use super::tensor::encode;
use crate::executor::Fault;
use crate::launch::{DevicePlan, Launch};

/// What launches need.
pub(super) struct Loaded {
    // Dropped in this order: kernels and memory before the context that they live in.
    pub modules: Modules,
    /// By backbone.
    pub params: Vec<Params>,
    /// Keeps the weights where `params` says.
    #[expect(dead_code, reason = "owns memory")]
    pub weights: Buffer,
    pub arena: Buffer,
    pub device: DevicePlan,
    pub context: Arc<Context>,
}

impl Loaded {
    /// Launches kernels that were found before, in the stream; `backbone` is the one whose parameters they read.
    pub fn launch(&self, launches: &[Launch], backbone: usize, places: &Places) -> Result<(), Fault> {
        for launch in launches {
            let resolve = |address: &_| places.resolve(&self.params[backbone], address);
            let mut arguments = Arguments::new(&launch.arguments, resolve, |tensor, at| encode(self.context.driver, tensor, at))?;
            // SAFETY: `lower` gives every kernel its parameters, in their order and types, within the regions' sizes; the regions are
            // buffers that outlive the stream's work, for nothing is freed before the stream was waited for.
            unsafe { self.modules.launch(launch, &mut arguments.pointers()) }?;
        }
        Ok(())
    }
}
