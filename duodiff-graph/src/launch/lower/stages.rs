//! A program's launches, operator by operator.

use super::{Entries, Lowering};
use crate::launch::device::DeviceProgram;
use crate::launch::{Gpu, LaunchError, Stage};
use crate::program::ValueId;

/// The launches of a program for `batch` images; `output` is written to [`Region::Output`](crate::launch::Region::Output).
pub(in crate::launch) fn stages(
    device: &DeviceProgram,
    gpu: Gpu,
    batch: usize,
    output: Option<ValueId>,
) -> Result<Vec<Stage>, LaunchError> {
    let mut lowering = Lowering { device, gpu, batch, entries: Entries::Image, output, launches: Vec::new() };
    let ops = device.program.ops.iter();
    let stage = ops.map(|op| {
        lowering.op(op)?;
        let id = op.out();
        Ok(Stage {
            launches: std::mem::take(&mut lowering.launches),
            out: lowering.locate(id),
            element: lowering.element(id),
            count: lowering.images(id) * device.program.value(id).elements(),
        })
    });
    stage.collect()
}
