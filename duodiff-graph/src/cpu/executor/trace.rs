//! An evaluation operator by operator: what the kernels write is shown as it lies in the arena.

use super::Cpu;
use crate::cpu::frame::{Frame, Input};
use crate::cpu::tables::Tables;
use crate::executor::{ExecutorError, Traced, check};
use crate::program::{Part, Program};

impl Traced for Cpu {
    fn program(&self, backbone: usize, part: Part) -> &Program {
        self.plan.backbones[backbone].net.part(part)
    }

    fn together(&self) -> usize {
        (self.machine.arena_floats() / self.plan.arena.max(1)).clamp(1, self.options.batch)
    }

    fn trace(
        &mut self,
        backbone: usize,
        x: &[f32],
        times: &[f32],
        labels: Option<&[u32]>,
        visit: &mut dyn FnMut(Part, usize, &[f32]),
    ) -> Result<(), ExecutorError> {
        check::forward(&self.plan, self.together(), backbone, x, times, labels, x)?;
        if times.is_empty() {
            return Ok(());
        }
        let map = self.plan.spec.time_of(backbone);
        let fed: Vec<f32> = times.iter().map(|&t| map.at(t)).collect();
        let Self { plan, params, machine, .. } = self;
        let (planned, params) = (&plan.backbones[backbone], &params[backbone]);
        let tables = Tables::new(machine, planned, params, &fed);
        let entries = tables.each();
        let prelude = Frame {
            program: &planned.net.prelude,
            layout: &planned.prelude,
            params: &params.prelude,
            views: &[],
            batch: times.len(),
            image: Input::NONE,
            sinusoid: entries.sinusoid,
            tables: Vec::new(),
            labels: &[],
            output: None,
        };
        prelude.trace(machine, &mut |index, out| visit(Part::Prelude, index, out));
        let body = Frame {
            program: &planned.net.body,
            layout: &planned.body,
            params: &params.body,
            image: Input::each(x, plan.spec.image.elements()),
            tables: entries.outputs,
            labels: labels.unwrap_or_default(),
            ..prelude
        };
        body.trace(machine, &mut |index, out| visit(Part::Body, index, out));
        Ok(())
    }
}
