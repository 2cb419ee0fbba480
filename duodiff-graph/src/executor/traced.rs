//! What an executor shows to whoever looks for the operator that is wrong.

use super::{Executor, ExecutorError};
use crate::program::{Part, Program};

/// An executor that shows what each of its operators computes.
pub trait Traced: Executor {
    /// A part of a backbone as it is executed, which need not be as it is planned: a device may take an operator apart.
    fn program(&self, backbone: usize, part: Part) -> &Program;

    /// The most images that are evaluated together, at most [`Executor::batch`].
    fn together(&self) -> usize;

    /// Evaluates as [`Executor::forward`] does, at most [`Self::together`] images: the prelude, then the body.
    ///
    /// `visit(part, index, out)` is called after each operator of each part's program. `out` is what it wrote, `[n, shape…]`, or `[shape…]`
    /// if that is the same for all images, and holds until the call returns: then its memory is used again.
    fn trace(
        &mut self,
        backbone: usize,
        x: &[f32],
        times: &[f32],
        labels: Option<&[u32]>,
        visit: &mut dyn FnMut(Part, usize, &[f32]),
    ) -> Result<(), ExecutorError>;
}
