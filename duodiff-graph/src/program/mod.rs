//! The intermediate representation: a program of named operators over values, in execution order.
//!
//! A value is one tensor per image (or one for all, if it is a parameter). Rank 2 is tokens `[rows, columns]`, rank 3
//! an image `[channels, height, width]`, rank 0 the class label. Every value is written once, whole, by one operator;
//! operators read rectangular windows of tokens.

mod cost;
mod ids;
mod op;
mod primitive;
mod primitive_shapes;
mod shapes;
mod sinusoid;
mod text;
mod value;
mod verify;

pub use cost::Cost;
pub use op::{
    Activate, Activation, Affine, Attention, Binary, BinaryFn, Conv3x3, Embedding, Input, Join, JoinAxis, Linear, Norm, Op, Patchify,
    RowNorm, Slice, Softmax, Unpatchify,
};
pub use primitive::{Axis, Primitive, PrimitiveFn, View};
pub use sinusoid::sinusoid;
pub use value::{Operand, Origin, Value, ValueId};
pub use verify::VerifyError;

use serde::{Deserialize, Serialize};

/// One backbone as a straight-line program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Program {
    /// The backbone's name.
    pub name: String,
    /// All values, indexed by [`ValueId`].
    pub values: Vec<Value>,
    /// Operators in execution order.
    pub ops: Vec<Op>,
    /// What the program computes: the network's output, an image; for a prelude its step tables.
    pub outputs: Vec<ValueId>,
}

/// A network in two programs: what depends on the step alone, and the rest.
///
/// The prelude runs once before sampling, with one "image" per step; its output i is the body's [`Origin::StepTable`] i.
/// As raised, the prelude is empty and the body reads [`Origin::Sinusoid`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Net {
    /// From the sinusoid to step tables.
    pub prelude: Program,
    /// From the image, the label and the step tables to the network's output.
    pub body: Program,
}

/// One of a network's two programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// What depends on the step alone.
    Prelude,
    /// The rest.
    Body,
}

impl Part {
    /// Both, in the order of execution.
    pub const ALL: [Self; 2] = [Self::Prelude, Self::Body];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Prelude => "prelude",
            Self::Body => "body",
        }
    }
}

impl Net {
    /// One of its programs.
    pub fn part(&self, part: Part) -> &Program {
        match part {
            Part::Prelude => &self.prelude,
            Part::Body => &self.body,
        }
    }

    /// A network whose body does everything.
    pub fn unsplit(body: Program) -> Self {
        Self { prelude: Program { name: body.name.clone(), values: vec![], ops: vec![], outputs: vec![] }, body }
    }
}

impl Program {
    /// The value behind an id.
    pub fn value(&self, id: ValueId) -> &Value {
        &self.values[id.index()]
    }

    /// Adds a value and returns its id.
    pub fn add_value(&mut self, shape: impl Into<Vec<usize>>, origin: Origin) -> ValueId {
        let id = ValueId::new(self.values.len());
        self.values.push(Value { shape: shape.into(), origin });
        id
    }

    /// The whole of a tokens value as an operand.
    ///
    /// # Panics
    /// If the value is not of rank 2: reading anything else through a window is a bug of the caller.
    pub fn whole(&self, id: ValueId) -> Operand {
        let [rows, columns] = self.value(id).shape[..] else { panic!("invariant: {id} is tokens") };
        Operand { value: id, rows: 0..rows, columns: 0..columns }
    }

    /// Parameters in order of first definition: (id, checkpoint key, shape in the checkpoint).
    pub fn params(&self) -> impl Iterator<Item = (ValueId, &str, &[usize])> {
        self.values.iter().enumerate().filter_map(|(index, value)| match &value.origin {
            Origin::Param { key, shape } => Some((ValueId::new(index), key.as_str(), shape.as_slice())),
            _ => None,
        })
    }

    /// The operators that read `id`, as indices into `ops`.
    pub fn readers(&self, id: ValueId) -> Vec<usize> {
        let reads = |op: &Op| op.inputs().iter().any(|input| input.value() == id);
        self.ops.iter().enumerate().filter(|(_, op)| reads(op)).map(|(index, _)| index).collect()
    }
}
