//! From a program to its launches, one operator after the other.

mod attention;
mod image;
mod linear;
mod primitive;
mod rows;
mod stages;
mod tail;

pub(super) use stages::stages;

use tail::Tail;

use super::device::{DeviceProgram, Entries};
use super::{Address, Argument, Element, Gpu, Kernel, Launch, LaunchError, Module, Region, Window, entry};
use crate::program::{Op, Operand, Origin, ValueId};

/// The launches of a body: its output goes to [`Region::Output`].
pub(super) fn body(device: &DeviceProgram, gpu: Gpu, batch: usize, entries: Entries) -> Result<Vec<Launch>, LaunchError> {
    let mut lowering = Lowering { device, gpu, batch, entries, output: device.program.outputs.first().copied(), launches: Vec::new() };
    let (ops, tail) = (&device.program.ops, Tail::of(device, gpu));
    for op in &ops[..ops.len() - tail.map_or(0, |tail| tail.ops)] {
        lowering.op(op)?;
    }
    if let Some(tail) = tail {
        lowering.tail(&tail)?;
    }
    match lowering.output {
        Some(id) if device.program.value(id).origin != Origin::Op => Err(lowering.output_unsupported(id)),
        _ => Ok(lowering.launches),
    }
}

/// The launches of a prelude for `steps` steps: its outputs go to the tables, as `tokens`.
pub(super) fn prelude(device: &DeviceProgram, gpu: Gpu, steps: usize, tokens: Element) -> Result<Vec<Launch>, LaunchError> {
    let mut lowering = Lowering { device, gpu, batch: steps, entries: Entries::Image, output: None, launches: Vec::new() };
    for op in &device.program.ops {
        lowering.op(op)?;
    }
    for (table, &id) in device.program.outputs.iter().enumerate() {
        let value = device.program.value(id);
        if !matches!(value.origin, Origin::Op | Origin::Sinusoid) {
            return Err(lowering.output_unsupported(id));
        }
        let count = (value.elements() * steps) as u64;
        let kernel = Kernel::new(Module::Tokens(tokens), format!("convert_{tokens}"));
        let arguments = vec![Argument::pointer(lowering.locate(id)), Argument::region(Region::Table(table)), Argument::U64(count)];
        lowering.push(kernel, entry::chunks(1, count, tokens)?, arguments);
    }
    Ok(lowering.launches)
}

/// A program on its way.
struct Lowering<'a> {
    device: &'a DeviceProgram,
    gpu: Gpu,
    batch: usize,
    entries: Entries,
    /// The value that is written to [`Region::Output`] rather than to its place.
    output: Option<ValueId>,
    launches: Vec<Launch>,
}

impl Lowering<'_> {
    fn op(&mut self, op: &Op) -> Result<(), LaunchError> {
        match op {
            Op::Linear(op) => self.linear(op),
            Op::Norm(op) => self.norm(op),
            Op::Attention(op) => self.attention(op),
            Op::Activate(op) => self.activate(op),
            Op::Softmax(op) => self.softmax(op),
            Op::Binary(op) => self.binary(op),
            Op::Affine(op) => self.affine(op),
            Op::Join(op) => self.join(op),
            Op::Slice(op) => self.copy(&op.x, op.out, [0, 0]),
            Op::Embedding(op) => self.embedding(op),
            Op::Patchify(op) => self.patchify(op),
            Op::Unpatchify(op) => self.unpatchify(op),
            Op::Conv3x3(op) => self.conv3x3(op),
            Op::Primitive(op) => self.primitive(op),
        }
    }

    fn push(&mut self, kernel: Kernel, entry::Shape { grid, block, shared }: entry::Shape, arguments: Vec<Argument>) {
        self.launches.push(Launch { kernel, grid, block, shared, arguments });
    }

    /// The type of a value.
    fn element(&self, id: ValueId) -> Element {
        self.device.element(self.device.program.value(id))
    }

    /// How many images a value has.
    fn images(&self, id: ValueId) -> usize {
        if self.device.program.value(id).is_batched() { self.batch } else { 1 }
    }

    /// Rows of a value of tokens, counted over its images.
    fn total(&self, id: ValueId) -> Result<u32, LaunchError> {
        count("tokens", self.images(id) * self.device.program.value(id).shape[0])
    }

    /// Where a value starts.
    fn locate(&self, id: ValueId) -> Address {
        let value = self.device.program.value(id);
        let element = self.device.element(value);
        match &value.origin {
            Origin::Op | Origin::Shared if Some(id) == self.output => Address::of(Region::Output),
            Origin::Op | Origin::Shared => {
                let place = self.device.layout.place(id).expect("invariant: every value that an operator writes has a place");
                Address { region: Region::Arena, offset: (place.offset * self.batch) as u64 }
            }
            Origin::Image => Address::of(Region::Image),
            Origin::Sinusoid => Address::of(Region::Sinusoid(element)),
            Origin::Label => Address::of(Region::Labels),
            Origin::StepTable(index) => Address::of(Region::Table(*index)),
            Origin::Param { key, .. } => Address::of(Region::Param { key: key.clone(), element }),
        }
    }

    /// Where a parameter in the given type lies.
    fn param_address(&self, id: ValueId, element: Element) -> Result<Address, LaunchError> {
        match &self.device.program.value(id).origin {
            Origin::Param { key, .. } => Ok(Address::of(Region::Param { key: key.clone(), element })),
            _ => Err(self.unsupported(id, "a parameter that is computed")),
        }
    }

    /// A parameter in the given type.
    fn param(&self, id: ValueId, element: Element) -> Result<Argument, LaunchError> {
        self.param_address(id, element).map(Argument::pointer)
    }

    /// A parameter that may be absent, as float32.
    fn option(&self, id: Option<ValueId>) -> Result<Argument, LaunchError> {
        id.map_or(Ok(Argument::Pointer(None)), |id| self.param(id, Element::F32))
    }

    /// Where a value that an operator writes starts.
    fn out(&self, id: ValueId) -> Argument {
        Argument::pointer(self.locate(id))
    }

    /// Elements from one image of a value to the next, and from one step's entry to the next.
    fn strides(&self, id: ValueId) -> (usize, usize) {
        let value = self.device.program.value(id);
        match (&value.origin, self.entries) {
            (Origin::StepTable(_) | Origin::Sinusoid, Entries::Step) => (0, value.elements()),
            _ if value.is_batched() => (value.elements(), 0),
            _ => (0, 0),
        }
    }

    fn window(&self, operand: &Operand) -> Result<Window, LaunchError> {
        let (image, step) = self.strides(operand.value);
        let stride = self.device.program.value(operand.value).shape[1];
        let start = (operand.rows.start * stride + operand.columns.start) * self.element(operand.value).bytes();
        Ok(Window {
            base: Some(self.locate(operand.value).plus(start as u64)),
            image: image as u64,
            stride: count("elements of a row", stride)?,
            rows: count("tokens", operand.rows.len())?,
            columns: count("elements of a row", operand.columns.len())?,
            step: count("elements of a step's entry", step)?,
        })
    }

    /// Where the trajectory is: read wherever a window may be a table of steps.
    fn step(&self) -> Argument {
        Argument::region(Region::Step)
    }

    fn unsupported(&self, out: ValueId, why: &'static str) -> LaunchError {
        let program = &self.device.program;
        let op = program.ops.iter().find(|op| op.out() == out).map_or_else(|| out.to_string(), |op| program.text_of(op));
        LaunchError::Unsupported { program: program.name.clone(), op, why }
    }

    fn output_unsupported(&self, id: ValueId) -> LaunchError {
        self.unsupported(id, "an output that does not depend on the input")
    }
}

/// A number as kernels take it.
pub(super) fn count(what: &'static str, found: usize) -> Result<u32, LaunchError> {
    // The kernels add up to a block's rows to a number before they compare it.
    let most = u32::MAX / 2;
    u32::try_from(found).ok().filter(|found| *found <= most).ok_or(LaunchError::Large { what, found: found as u64, most: most.into() })
}
