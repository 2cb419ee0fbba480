//! Writes the program: values for loads and results, named operators for matches, primitives for the rest.

use super::RaiseError;
use super::matching::Found;
use super::nodes::{Edge, Kind};
use super::primitives::Primitives;
use super::recognise::Recogniser;
use super::sizes::Size;
use crate::program::{Axis, Op, Origin, Primitive, PrimitiveFn, Program, ValueId, View};

/// A program being written.
pub(super) struct Emitter<'a> {
    primitives: &'a Primitives<'a>,
    program: Program,
    /// By node.
    values: Vec<Option<ValueId>>,
    /// Copies of values in another shape.
    reshaped: Vec<(ValueId, ValueId)>,
    /// The nodes that needed them.
    copies: Vec<usize>,
}

impl<'a> Emitter<'a> {
    /// An empty program.
    pub(super) fn new(name: &str, primitives: &'a Primitives<'a>) -> Self {
        let program = Program { name: name.to_owned(), values: Vec::new(), ops: Vec::new(), outputs: Vec::new() };
        Self { primitives, program, values: vec![None; primitives.nodes.len()], reshaped: Vec::new(), copies: Vec::new() }
    }

    /// The program with this node's result as its output, and the nodes that read a copy of an operand in another shape.
    pub(super) fn finish(mut self, node: usize, shape: &[usize]) -> Result<(Program, Vec<usize>), RaiseError> {
        let value = self.value(node)?;
        let loaded = self.primitives.load(node).is_some();
        let output = if loaded { self.copy(value, shape, node) } else { self.shaped(value, shape, node) };
        self.program.outputs.push(output);
        Ok((self.program, self.copies))
    }

    /// An input or a parameter.
    pub(super) fn load(&mut self, node: usize) {
        if let Some(load) = self.primitives.load(node) {
            self.values[node] = Some(self.program.add_value(load.shape.clone(), load.role.clone()));
        }
    }

    /// A recognised operator.
    pub(super) fn operator(&mut self, node: usize, recogniser: &Recogniser, found: &Found) -> Result<(), RaiseError> {
        let shapes = (recogniser.shapes)(found);
        let mut holes = Vec::with_capacity(found.holes.len());
        for (hole, shape) in found.holes.iter().zip(&shapes.holes) {
            let value = self.value(*hole)?;
            holes.push(self.shaped(value, shape, node));
        }
        let out = self.program.add_value(shapes.out, Origin::Op);
        self.program.ops.push((recogniser.op)(found, &holes, out));
        self.values[node] = Some(out);
        Ok(())
    }

    /// A node that no recogniser claimed.
    pub(super) fn primitive(&mut self, node: usize) -> Result<(), RaiseError> {
        let f = match self.primitives.nodes[node].kind {
            Kind::Load => return Ok(()),
            Kind::Size(size) => PrimitiveFn::Constant(size.ok_or(RaiseError::Size { node })? as f32),
            Kind::Function(f) => f,
        };
        let mut inputs = Vec::new();
        for edge in &self.primitives.nodes[node].operands {
            let value = self.value(edge.source)?;
            let view = if f.is_unary() { self.stored(value, &self.program.value(value).shape) } else { self.view(value, edge, node)? };
            inputs.push(view);
        }
        let shape = match inputs.first() {
            Some(view) => f.shape(view),
            None => Vec::new(),
        };
        let origin = if self.primitives.batched[node] { Origin::Op } else { Origin::Shared };
        let out = self.program.add_value(shape, origin);
        self.program.ops.push(Op::Primitive(Primitive { f, inputs, out }));
        self.values[node] = Some(out);
        Ok(())
    }

    fn value(&self, node: usize) -> Result<ValueId, RaiseError> {
        self.values[node].ok_or(RaiseError::Order { node })
    }

    /// The value, or a copy of it, in this shape: luminal's reshape leaves no trace but the shape its readers see.
    fn shaped(&mut self, value: ValueId, shape: &[usize], reader: usize) -> ValueId {
        if self.program.value(value).shape == shape {
            return value;
        }
        let known = self.reshaped.iter().find(|(from, to)| *from == value && self.program.value(*to).shape == shape);
        match known {
            Some((_, to)) => *to,
            None => {
                let to = self.copy(value, shape, reader);
                self.reshaped.push((value, to));
                to
            }
        }
    }

    fn copy(&mut self, value: ValueId, shape: &[usize], reader: usize) -> ValueId {
        self.copies.push(reader);
        let origin = if self.program.value(value).is_batched() { Origin::Op } else { Origin::Shared };
        let inputs = vec![self.stored(value, shape)];
        let out = self.program.add_value(shape, origin);
        self.program.ops.push(Op::Primitive(Primitive { f: PrimitiveFn::Contiguous, inputs, out }));
        out
    }

    /// The value as it is stored, seen in a shape of as many elements.
    fn stored(&self, id: ValueId, shape: &[usize]) -> View {
        let batch = self.program.value(id).is_batched().then_some(None);
        let axes: Vec<Axis> = batch.into_iter().chain(shape.iter().copied().map(Some)).map(Axis::whole).collect();
        View { value: id, order: (0..axes.len()).collect(), axes }
    }

    /// The value as an edge sees it.
    fn view(&self, id: ValueId, edge: &Edge<Size>, node: usize) -> Result<View, RaiseError> {
        let value = self.program.value(id);
        let stored = edge.stored();
        let elements: usize = stored.iter().flatten().product();
        let batch = stored.iter().filter(|size| size.is_none()).count();
        let leading = stored.first().is_none_or(Option::is_none) || batch == 0;
        if elements != value.elements() || batch != usize::from(value.is_batched()) || !leading {
            return Err(RaiseError::View { node });
        }
        let axis = |axis: &super::nodes::EdgeAxis<Size>| Axis {
            length: axis.length,
            broadcast: axis.broadcast,
            padding: (axis.padding[0].unwrap_or(0), axis.padding[1].unwrap_or(0)),
            slice: axis.slice.and(axis.range()).map(|[start, end]| (start, end)),
        };
        Ok(View { value: id, axes: edge.axes.iter().map(axis).collect(), order: edge.order.clone() })
    }
}
