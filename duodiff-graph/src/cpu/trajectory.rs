//! One step after the other: evaluate the backbone (twice if guided), then the solver's update with its noise.

use super::batch;
use super::buffer::Buffer;
use super::frame::{Frame, Input};
use super::kernels::update::{Guide, Update};
use super::machine::Machine;
use super::params::Params;
use super::tables::{Entries, Tables};
use crate::executor::Request;
use crate::noise::Noise;
use crate::plan::Plan;
use crate::process::{HISTORY, Row, Steps};

/// What a trajectory keeps from step to step: a tensor of the image's shape per image each, but for the noise.
pub(super) struct State {
    /// The network's output.
    output: Buffer,
    /// The network's output for the null label.
    unconditional: Buffer,
    /// x as the network is fed it, where that is scaled.
    fed: Buffer,
    saved: Buffer,
    history: [Buffer; HISTORY],
    /// Noise of one image.
    noise: Buffer,
}

impl State {
    /// State for `batch` images of `elements` floats.
    pub fn new(elements: usize, batch: usize) -> Self {
        let all = || Buffer::zeroed(elements * batch);
        let history = std::array::from_fn(|_| all());
        Self { output: all(), unconditional: all(), fed: all(), saved: all(), history, noise: Buffer::zeroed(elements) }
    }

    /// Bytes of the state, and of the images that a trajectory returns.
    pub fn bytes(elements: usize, batch: usize) -> u64 {
        (5 + HISTORY as u64) * Buffer::bytes(elements * batch) + Buffer::bytes(elements)
    }
}

/// One evaluation of a backbone.
pub(super) struct Evaluation<'a> {
    pub plan: &'a Plan,
    pub params: &'a [Params],
    pub backbone: usize,
    pub entries: Entries,
    /// One per image, for conditional networks; checked.
    pub labels: &'a [u32],
}

impl Evaluation<'_> {
    /// `out = net(x)` for each image of `x`, slice by slice.
    pub fn run(&self, machine: &mut Machine, x: &[f32], out: &mut [f32]) {
        let elements = self.plan.spec.image.elements();
        let slice = batch::slice(self.plan, x.len() / elements);
        let each = x.chunks(slice * elements).zip(out.chunks_mut(slice * elements));
        for (first, (x, out)) in (0..).step_by(slice).zip(each) {
            self.slice(machine, first, x, out);
        }
    }

    /// `out = net(x)` for the images from `first` on.
    fn slice(&self, machine: &mut Machine, first: usize, x: &[f32], out: &mut [f32]) {
        let elements = self.plan.spec.image.elements();
        let (backbone, params) = (&self.plan.backbones[self.backbone], &self.params[self.backbone]);
        let frame = Frame {
            program: &backbone.net.body,
            layout: &backbone.body,
            params: &params.body,
            views: &params.views,
            batch: x.len() / elements,
            image: Input::each(x, elements),
            sinusoid: self.entries.sinusoid.from(first),
            tables: self.entries.outputs.iter().map(|table| table.from(first)).collect(),
            labels: self.labels.get(first..).unwrap_or_default(),
            output: None,
        };
        frame.run_into(machine, out);
    }
}

/// A trajectory under way.
pub(super) struct Trajectory<'a> {
    plan: &'a Plan,
    params: &'a [Params],
    machine: &'a mut Machine,
    state: &'a mut State,
    images: &'a [Request],
    guidance: f32,
    /// By backbone; an entry for each row that evaluates it, in order.
    tables: Vec<Tables>,
    /// By backbone: the next row's entry.
    next: Vec<usize>,
    /// Slot of m0 in the history.
    newest: usize,
}

impl<'a> Trajectory<'a> {
    /// Computes the tables; the history starts at 0.
    pub fn new(
        plan: &'a Plan,
        params: &'a [Params],
        machine: &'a mut Machine,
        state: &'a mut State,
        steps: &Steps,
        images: &'a [Request],
    ) -> Self {
        let times = |backbone| steps.rows.iter().filter(move |row| row.backbone == backbone).map(|row| row.time).collect::<Vec<_>>();
        let each = plan.backbones.iter().zip(params).enumerate();
        let tables = each.map(|(index, (backbone, params))| Tables::new(machine, backbone, params, &times(index))).collect();
        for buffer in state.history.iter_mut().chain([&mut state.saved]) {
            buffer.floats_mut().fill(0.0);
        }
        let next = vec![0; plan.backbones.len()];
        Self { plan, params, machine, state, images, guidance: steps.guidance, tables, next, newest: 0 }
    }

    /// Evaluates and updates one row; `x` is `[n, C, H, W]`. `nulls` are null labels, used if the run is guided.
    pub fn step(&mut self, step: usize, row: &Row, noise: &dyn Noise, labels: &[u32], nulls: &[u32], x: &mut [f32]) {
        let entry = self.next[row.backbone];
        self.next[row.backbone] += 1;
        let State { output, unconditional, fed, .. } = &mut *self.state;
        let fed = if row.scale == 1.0 {
            &*x
        } else {
            let fed = &mut fed.floats_mut()[..x.len()];
            fed.iter_mut().zip(&*x).for_each(|(fed, x)| *fed = row.scale * x);
            fed
        };
        let output = &mut output.floats_mut()[..x.len()];
        let evaluation = |labels| {
            let entries = self.tables[row.backbone].step(entry);
            Evaluation { plan: self.plan, params: self.params, backbone: row.backbone, entries, labels }
        };
        evaluation(labels).run(self.machine, fed, output);
        if self.guidance != 0.0 {
            let unconditional = &mut unconditional.floats_mut()[..x.len()];
            evaluation(nulls).run(self.machine, fed, unconditional);
            self.machine.isa.run(Guide { scale: self.guidance, conditional: output, unconditional });
        }
        self.update(step, row, noise, x);
    }

    fn update(&mut self, step: usize, row: &Row, noise: &dyn Noise, x: &mut [f32]) {
        let elements = self.plan.spec.image.elements();
        let State { output, saved, history, noise: z, .. } = &mut *self.state;
        self.newest = (self.newest + HISTORY - 1) % HISTORY;
        let (newest, older) = ring(history, self.newest);
        let z = z.floats_mut();
        for (index, (image, x)) in self.images.iter().zip(x.chunks_exact_mut(elements)).enumerate() {
            if row.cz != 0.0 {
                noise.fill(image.index, step as u32 + 1, z);
            }
            let own = index * elements..(index + 1) * elements;
            self.machine.isa.run(Update {
                row,
                x,
                f: &output.floats()[own.clone()],
                saved: &mut saved.floats_mut()[own.clone()],
                newest: &mut newest.floats_mut()[own.clone()],
                older: older.map(|buffer| &buffer.floats()[own.clone()]),
                z,
            });
        }
    }
}

/// The newest slot to write, and the others from younger to older.
fn ring(history: &mut [Buffer; HISTORY], newest: usize) -> (&mut Buffer, [&Buffer; HISTORY - 1]) {
    let [a, b, c] = history;
    match newest {
        0 => (a, [b, c]),
        1 => (b, [c, a]),
        _ => (c, [a, b]),
    }
}
