//! One run of a program at a batch: resolves values to addresses and launches each operator.

use super::kernels::conv::{self, Conv, Image};
use super::kernels::cut::Cut;
use super::kernels::linear::{self, Linear};
use super::kernels::pack::Source;
use super::kernels::patch::{Grid, Patches, Pixels, patchify, unpatchify};
use super::kernels::pointwise::{self, Pointwise};
use super::kernels::{attention, copy, norm, primitive, softmax};
use super::machine::Machine;
use super::params::Param;
use super::rows::{Rows, RowsMut};
use super::views::{self, Views};
use crate::plan::Layout;
use crate::program::{self, JoinAxis, Op, Operand, Origin, Program, ValueId};

/// An input of a program: where the first image's lies, and the floats from one image to the next.
#[derive(Clone, Copy, Debug)]
pub(super) struct Input {
    /// First float.
    pub base: *const f32,
    /// 0 where all images share it.
    pub image: usize,
}

impl Input {
    /// No such input.
    pub const NONE: Self = Self { base: std::ptr::null(), image: 0 };

    /// One tensor of `elements` per image.
    pub fn each(data: &[f32], elements: usize) -> Self {
        Self { base: data.as_ptr(), image: elements }
    }

    /// One tensor for all images.
    pub fn shared(data: &[f32]) -> Self {
        Self { base: data.as_ptr(), image: 0 }
    }

    /// The same input of the images from `first` on.
    pub fn from(self, first: usize) -> Self {
        Self { base: self.base.wrapping_add(first * self.image), ..self }
    }
}

/// A program with everything that it reads, at a batch.
pub(super) struct Frame<'a> {
    pub program: &'a Program,
    pub layout: &'a Layout,
    pub params: &'a [Param],
    /// What is read without being written; with any, the program is [run into](Self::run_into) the caller's memory.
    pub views: &'a Views,
    /// Number of images (of steps, for a prelude).
    pub batch: usize,
    pub image: Input,
    pub sinusoid: Input,
    pub tables: Vec<Input>,
    /// One per image, for conditional networks; checked.
    pub labels: &'a [u32],
    /// An output that does not lie in the arena, and its first float.
    pub output: Option<(ValueId, *mut f32)>,
}

impl Frame<'_> {
    /// Runs all operators.
    pub fn run(&self, machine: &mut Machine) {
        for op in &self.program.ops {
            if self.viewed(op.out()).is_none() {
                self.launch(machine, op);
            }
        }
    }

    /// Runs all operators of a program with one output, into `out`: all images one after the other.
    pub fn run_into(mut self, machine: &mut Machine, out: &mut [f32]) {
        if let Some(id) = views::written(self.program) {
            assert_eq!(out.len(), self.batch * self.program.value(id).elements(), "invariant: the output fits");
            self.output = Some((id, out.as_mut_ptr()));
            self.run(machine);
        } else {
            self.run(machine);
            self.copy_output(machine, 0, out);
        }
    }

    /// Runs all operators and shows what each wrote, `[images, shape…]`, before its place is used again.
    pub fn trace(&self, machine: &mut Machine, visit: &mut dyn FnMut(usize, &[f32])) {
        for (index, op) in self.program.ops.iter().enumerate() {
            self.launch(machine, op);
            let out = self.out(machine.arena(), op.out());
            // SAFETY: the operator wrote so many floats in its place in the arena, and nothing runs before the next one.
            visit(index, unsafe { std::slice::from_raw_parts(out.base, out.total * out.stride) });
        }
    }

    /// Copies output `index` of all images to `out`, one after the other.
    pub fn copy_output(&self, machine: &mut Machine, index: usize, out: &mut [f32]) {
        let id = self.program.outputs[index];
        let x = self.rows(machine.arena(), &self.whole(id));
        let out = RowsMut { base: out.as_mut_ptr(), stride: x.columns, total: self.batch * x.rows };
        copy::Copy { x, rows: x.rows, row: 0, column: 0, out }.run(0, out.total);
    }

    /// The whole of a value as rows: lines of an image, tokens, or one row.
    fn whole(&self, id: ValueId) -> Operand {
        let columns = self.program.value(id).shape.last().copied().unwrap_or(1);
        let rows = self.program.value(id).elements() / columns;
        Operand { value: id, rows: 0..rows, columns: 0..columns }
    }

    fn locate(&self, arena: *mut f32, id: ValueId) -> Input {
        let value = self.program.value(id);
        match value.origin {
            Origin::Image => self.image,
            Origin::Sinusoid => self.sinusoid,
            Origin::StepTable(index) => self.tables[index],
            Origin::Label => Input::NONE,
            Origin::Param { .. } => self.param(id).map_or(Input::NONE, Input::shared),
            Origin::Op | Origin::Shared => {
                let image = if value.is_batched() { value.elements() } else { 0 };
                Input { base: self.place(arena, id), image }
            }
        }
    }

    fn param(&self, id: ValueId) -> Option<&[f32]> {
        self.params[id.index()].raw.as_deref().map(super::buffer::Buffer::floats)
    }

    /// The operator that a value is read through, if there is one.
    fn viewed(&self, id: ValueId) -> Option<&Op> {
        let index = self.views.get(id.index()).copied().flatten()?;
        Some(&self.program.ops[index])
    }

    fn place(&self, arena: *mut f32, id: ValueId) -> *mut f32 {
        if let Some((output, base)) = self.output
            && output == id
        {
            return base;
        }
        let place = self.layout.place(id).expect("invariant: every value that an operator writes has a place");
        arena.wrapping_add(place.offset * self.batch)
    }

    fn rows(&self, arena: *mut f32, operand: &Operand) -> Rows {
        let Input { base, image } = self.locate(arena, operand.value);
        let stride = self.program.value(operand.value).shape.last().copied().unwrap_or(1);
        let base = base.wrapping_add(operand.rows.start * stride + operand.columns.start);
        Rows { base, image, stride, rows: operand.rows.len(), columns: operand.columns.len() }
    }

    /// How many images an operator's output has.
    fn images(&self, id: ValueId) -> usize {
        if self.program.value(id).is_batched() { self.batch } else { 1 }
    }

    fn out(&self, arena: *mut f32, id: ValueId) -> RowsMut {
        let whole = self.whole(id);
        let [rows, stride] = whole.shape();
        RowsMut { base: self.place(arena, id), stride, total: self.images(id) * rows }
    }

    fn launch(&self, machine: &mut Machine, op: &Op) {
        let arena = machine.arena();
        let out = self.out(arena, op.out());
        match op {
            Op::Linear(op) => self.linear(machine, op, out),
            Op::Norm(op) => {
                let (x, norm) = (self.rows(arena, &op.x), self.norm(&op.norm));
                by_rows(machine, out, |first, last| norm::Norm { x, norm, out, first, last });
            }
            Op::Attention(op) => self.attention(machine, op, out),
            Op::Activate(op) => self.pointwise(machine, Pointwise::Activate(op.f), &op.x, out),
            Op::Affine(op) => self.pointwise(machine, Pointwise::Affine(op.scale, op.offset), &op.x, out),
            Op::Binary(op) => {
                let b = self.rows(arena, &op.b).repeat(op.a.rows.len());
                self.pointwise(machine, Pointwise::Binary(op.f, b), &op.a, out);
            }
            Op::Softmax(op) => {
                let x = self.rows(arena, &op.x);
                by_rows(machine, out, |first, last| softmax::Softmax { x, out, first, last });
            }
            Op::Join(op) => self.join(machine, op, out),
            Op::Slice(op) => self.copy(machine, &op.x, op.out, [0, 0], out),
            Op::Embedding(op) => {
                let table = self.param(op.table).expect("invariant: embedding tables are parameters");
                copy::embed(table, self.labels, out);
            }
            Op::Patchify(op) => {
                let patches = self.patches(arena, op);
                machine.launch(self.images(op.out) * patches.grid.down(), |_, task, _| patchify(patches, out, task));
            }
            Op::Unpatchify(op) => {
                let pixels = self.pixels(arena, op);
                machine.launch(self.images(op.out) * pixels.grid.down(), |_, task, _| unpatchify(pixels, out, task));
            }
            Op::Conv3x3(op) => self.conv(machine, op, out),
            Op::Primitive(op) => self.primitive(machine, op),
        }
    }

    fn norm(&self, norm: &program::RowNorm) -> norm::RowNorm<'_> {
        let param = |id: Option<ValueId>| id.and_then(|id| self.param(id));
        norm::RowNorm { eps: norm.eps, gain: param(norm.gain), shift: param(norm.shift) }
    }

    fn linear(&self, machine: &mut Machine, op: &program::Linear, out: RowsMut) {
        let arena = machine.arena();
        let [n, k] = self.program.whole(op.weight).shape();
        let weight = self.params[op.weight.index()].panels.as_deref().expect("invariant: weights of linears are packed");
        let sources: Vec<Source> = op.sources.iter().map(|source| self.source(arena, source)).collect();
        let linear = Linear {
            sources: &sources,
            norm: op.norm.as_ref().map(|norm| self.norm(norm)),
            weight: weight.floats(),
            k,
            n,
            bias: op.bias.and_then(|id| self.param(id)),
            activation: op.activation,
            residual: op.residual.as_ref().map(|residual| self.rows(arena, residual)),
            out,
        };
        let cut = Cut::new([out.total, n, k], machine.isa.rows(), machine.threads());
        machine.kernels(cut.tasks(), |worker, index, scratch| linear::Task { linear, cut, index, scratch, worker });
    }

    fn attention(&self, machine: &mut Machine, op: &program::Attention, out: RowsMut) {
        let arena = machine.arena();
        let [q, k, v] = [&op.q, &op.k, &op.v].map(|operand| self.rows(arena, operand));
        let attention = attention::Attention { q, k, v, heads: op.heads, scale: op.scale, out };
        let images = self.images(op.out);
        let blocks = attention.blocks(images, machine.threads());
        let make = |worker, index, scratch| attention::Task { attention, blocks, index, scratch, worker };
        machine.kernels(images * op.heads * blocks, make);
    }

    fn pointwise(&self, machine: &mut Machine, f: Pointwise, x: &Operand, out: RowsMut) {
        let x = self.rows(machine.arena(), x);
        by_rows(machine, out, |first, last| pointwise::Task { f, x, out, first, last });
    }

    fn join(&self, machine: &mut Machine, op: &program::Join, out: RowsMut) {
        let mut at = [0, 0];
        let axis = match op.axis {
            JoinAxis::Rows => 0,
            JoinAxis::Columns => 1,
        };
        for part in &op.parts {
            self.copy(machine, part, op.out, at, out);
            at[axis] += part.shape()[axis];
        }
    }

    fn copy(&self, machine: &mut Machine, x: &Operand, to: ValueId, [row, column]: [usize; 2], out: RowsMut) {
        let x = self.rows(machine.arena(), x);
        let images = self.images(to);
        let copy = copy::Copy { x, rows: out.total / images, row, column, out };
        let (total, step) = (images * x.rows, rows_per_task(x.columns));
        machine.launch(total.div_ceil(step), |_, task, _| copy.run(task * step, total.min((task + 1) * step)));
    }

    fn grid(&self, image: ValueId, patch: usize) -> Grid {
        let [channels, height, width] = self.program.value(image).shape[..] else { panic!("invariant: {image} is an image") };
        Grid { channels, height, width, patch }
    }

    fn patches(&self, arena: *mut f32, op: &program::Patchify) -> Patches {
        Patches { image: self.rows(arena, &self.whole(op.image)), grid: self.grid(op.image, op.patch) }
    }

    fn pixels(&self, arena: *mut f32, op: &program::Unpatchify) -> Pixels {
        Pixels { x: self.rows(arena, &op.x), grid: self.grid(op.out, op.patch) }
    }

    fn source(&self, arena: *mut f32, operand: &Operand) -> Source {
        match self.viewed(operand.value) {
            Some(Op::Patchify(op)) => Source::Patches(self.patches(arena, op)),
            _ => Source::Rows(self.rows(arena, operand)),
        }
    }

    fn conv(&self, machine: &mut Machine, op: &program::Conv3x3, out: RowsMut) {
        let (arena, images) = (machine.arena(), self.images(op.out));
        let Grid { channels, height, width, .. } = self.grid(op.x, 1);
        let x = match self.viewed(op.x) {
            Some(Op::Unpatchify(op)) => Image::Patches(self.pixels(arena, op)),
            _ => Image::Lines(self.rows(arena, &self.whole(op.x))),
        };
        let [weight, bias] = [op.weight, op.bias].map(|id| self.param(id).expect("invariant: weights of convolutions are parameters"));
        let conv = Conv { x, channels, height, width, weight, bias, out };
        let lines = conv::lines(images, height, machine.threads());
        let make = |worker, index, scratch| conv::Task { conv, lines, index, scratch, worker };
        machine.kernels(images * height.div_ceil(lines), make);
    }

    fn primitive(&self, machine: &mut Machine, op: &program::Primitive) {
        let arena = machine.arena();
        let batch = self.images(op.out);
        let inputs = op.inputs.iter().map(|view| {
            let Input { base, image } = self.locate(arena, view.value);
            primitive::Source { base, image, elements: self.program.value(view.value).elements(), view, batch }
        });
        let inputs: Vec<_> = inputs.collect();
        let elements = batch * self.program.value(op.out).elements();
        primitive::run(op.f, &inputs, primitive::Target { base: self.place(arena, op.out), elements });
    }
}

/// Rows of `columns` floats that make a task worth a thread's while.
fn rows_per_task(columns: usize) -> usize {
    (8192 / columns.max(1)).max(1)
}

fn by_rows<K: super::simd::Kernel>(machine: &mut Machine, out: RowsMut, make: impl Fn(usize, usize) -> K + Sync) {
    let step = rows_per_task(out.stride);
    machine.kernels(out.total.div_ceil(step), |_, task, _| make(task * step, out.total.min((task + 1) * step)));
}

/// Scratch floats of one worker for an operator of `program` at `batch` images.
pub(super) fn scratch(program: &Program, op: &Op, batch: usize) -> usize {
    match op {
        Op::Linear(op) => {
            let [k, rows] = [program.value(op.weight).shape[1], program.value(op.out).shape[0]];
            linear::scratch(batch * rows, k)
        }
        Op::Attention(op) => attention::scratch(op.k.rows.len(), op.q.columns.len() / op.heads),
        Op::Conv3x3(op) => {
            let shape = &program.value(op.x).shape;
            conv::scratch(shape[0], shape[1], shape[2])
        }
        _ => 0,
    }
}
