//! What depends on the step alone, computed before the first step: sinusoids of the times, and the prelude's outputs.

use super::buffer::Buffer;
use super::frame::{Frame, Input};
use super::machine::Machine;
use super::params::Params;
use crate::plan::{BackbonePlan, Layout};
use crate::program::{Origin, Program, sinusoid};

/// Tables of one backbone with an entry for each step.
pub(super) struct Tables {
    sinusoid: Table,
    outputs: Vec<Table>,
}

struct Table {
    data: Buffer,
    elements: usize,
}

impl Table {
    fn zeroed(steps: usize, elements: usize) -> Self {
        Self { data: Buffer::zeroed(steps * elements), elements }
    }

    fn each(&self) -> Input {
        Input::each(self.data.floats(), self.elements)
    }

    fn shared(&self, step: usize) -> Input {
        Input::shared(&self.data.floats()[step * self.elements..])
    }
}

/// What a body reads of its tables.
pub(super) struct Entries {
    pub sinusoid: Input,
    pub outputs: Vec<Input>,
}

/// Width of the sinusoid that a program reads, 0 if it reads none.
fn width(program: &Program) -> usize {
    program.values.iter().find(|value| value.origin == Origin::Sinusoid).map_or(0, |value| value.elements())
}

/// Elements of each table of a backbone, the sinusoid's first.
fn sizes(plan: &BackbonePlan) -> (usize, Vec<usize>) {
    let prelude = &plan.net.prelude;
    let sinusoid = width(prelude).max(width(&plan.net.body));
    (sinusoid, prelude.outputs.iter().map(|&id| prelude.value(id).elements()).collect())
}

/// Bytes of the tables of a backbone for `steps` steps.
pub(super) fn bytes(plan: &BackbonePlan, steps: usize) -> u64 {
    let (sinusoid, outputs) = sizes(plan);
    outputs.iter().chain([&sinusoid]).map(|elements| Buffer::bytes(steps * elements)).sum()
}

/// Floats that a layout takes per image.
pub(super) fn extent(layout: &Layout) -> usize {
    layout.places.iter().flatten().map(|place| place.offset + place.elements).max().unwrap_or(0)
}

/// How many steps the prelude is run for at a time, in an arena of `arena` floats.
pub(super) fn chunk(plan: &BackbonePlan, arena: usize) -> usize {
    (arena / extent(&plan.prelude).max(1)).max(1)
}

impl Tables {
    /// Tables for the times that the network is fed, one entry each.
    pub fn new(machine: &mut Machine, plan: &BackbonePlan, params: &Params, times: &[f32]) -> Self {
        let (width, outputs) = sizes(plan);
        let mut sinusoids = Table::zeroed(times.len(), width);
        for (time, out) in times.iter().zip(sinusoids.data.floats_mut().chunks_exact_mut(width.max(1))) {
            sinusoid(*time, out);
        }
        let outputs = outputs.into_iter().map(|elements| Table::zeroed(times.len(), elements)).collect();
        let mut tables = Self { sinusoid: sinusoids, outputs };
        let chunk = chunk(plan, machine.arena_floats());
        for first in (0..times.len()).step_by(chunk) {
            tables.fill(machine, plan, params, first, (times.len() - first).min(chunk));
        }
        tables
    }

    fn fill(&mut self, machine: &mut Machine, plan: &BackbonePlan, params: &Params, first: usize, count: usize) {
        let frame = Frame {
            program: &plan.net.prelude,
            layout: &plan.prelude,
            params: &params.prelude,
            views: &[],
            batch: count,
            image: Input::NONE,
            sinusoid: Input { image: self.sinusoid.elements, ..self.sinusoid.shared(first) },
            tables: Vec::new(),
            labels: &[],
            output: None,
        };
        frame.run(machine);
        for (index, table) in self.outputs.iter_mut().enumerate() {
            let entries = first * table.elements..(first + count) * table.elements;
            frame.copy_output(machine, index, &mut table.data.floats_mut()[entries]);
        }
    }

    /// The entry of one step for all images.
    pub fn step(&self, step: usize) -> Entries {
        Entries { sinusoid: self.sinusoid.shared(step), outputs: self.outputs.iter().map(|table| table.shared(step)).collect() }
    }

    /// Entry i for image i.
    pub fn each(&self) -> Entries {
        Entries { sinusoid: self.sinusoid.each(), outputs: self.outputs.iter().map(Table::each).collect() }
    }
}
