//! An evaluation operator by operator: each one's launches, then its output copied to the host.

use half::bf16;

use super::Cuda;
use crate::cuda::memory::Pinned;
use crate::cuda::places::Places;
use crate::executor::{ExecutorError, Traced, check};
use crate::launch::Element;
use crate::program::{Part, Program};

impl Traced for Cuda {
    fn program(&self, backbone: usize, part: Part) -> &Program {
        let net = &self.loaded.device.backbones[backbone];
        match part {
            Part::Prelude => &net.prelude.program,
            Part::Body => &net.body.program,
        }
    }

    fn together(&self) -> usize {
        self.batch
    }

    fn trace(
        &mut self,
        backbone: usize,
        x: &[f32],
        times: &[f32],
        labels: Option<&[u32]>,
        visit: &mut dyn FnMut(Part, usize, &[f32]),
    ) -> Result<(), ExecutorError> {
        check::forward(&self.plan, self.batch, backbone, x, times, labels, x)?;
        if times.is_empty() {
            return Ok(());
        }
        self.loaded.context.enter()?;
        let map = self.plan.spec.time_of(backbone);
        let fed: Vec<f32> = times.iter().map(|&t| map.at(t)).collect();
        let traced = self.trace_parts(backbone, x, &fed, labels.unwrap_or_default(), visit);
        self.settle(traced)
    }
}

impl Cuda {
    fn trace_parts(
        &mut self,
        backbone: usize,
        x: &[f32],
        times: &[f32],
        labels: &[u32],
        visit: &mut dyn FnMut(Part, usize, &[f32]),
    ) -> Result<(), ExecutorError> {
        if self.tables[backbone].fill(&mut self.loaded, times)? {
            self.graphs = None;
        }
        self.state.feed(x, labels)?;
        let mut places = Places { arena: self.loaded.arena.address, ..Places::default() };
        self.state.locate(&mut places);
        self.tables[backbone].locate(&self.loaded.device, &mut places);
        for part in Part::ALL {
            let stages = self.loaded.device.stages(backbone, part, times.len())?;
            let largest = stages.iter().map(|stage| stage.count * stage.element.bytes()).max().unwrap_or_default();
            let mut host = Pinned::<u8>::new(&self.loaded.context, largest)?;
            for (index, stage) in stages.iter().enumerate() {
                self.loaded.modules.prepare(&stage.launches)?;
                self.loaded.launch(&stage.launches, backbone, &places)?;
                let bytes = stage.count * stage.element.bytes();
                host.read(places.resolve(&self.loaded.params[backbone], &stage.out), bytes)?;
                self.loaded.context.synchronize()?;
                visit(part, index, &floats(&host.get()[..bytes], stage.element));
            }
        }
        Ok(())
    }
}

/// Elements as float32.
fn floats(bytes: &[u8], element: Element) -> Vec<f32> {
    match element {
        Element::F32 => bytes.chunks_exact(4).map(|b| f32::from_ne_bytes([b[0], b[1], b[2], b[3]])).collect(),
        Element::Bf16 => bytes.chunks_exact(2).map(|b| bf16::from_ne_bytes([b[0], b[1]]).to_f32()).collect(),
    }
}
