//! Networks as calls of the build API: what the evaluation of a backbone records and what is printed as code.

use std::collections::HashMap;

/// A tensor of one function: a local variable of the expansion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Variable(pub u32);

/// Shape of a tensor, the batch left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// `[rows, columns]`
    Tokens {
        /// Tokens.
        rows: usize,
        /// Features of each.
        columns: usize,
    },
    /// `[channels, height, width]`
    Image {
        /// Channels.
        channels: usize,
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
    },
}

impl std::fmt::Display for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tokens { rows, columns } => write!(f, "[{rows}, {columns}]"),
            Self::Image { channels, height, width } => write!(f, "[{channels}, {height}, {width}]"),
        }
    }
}

/// One call of the build API or of an instance.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Step {
    /// What is called.
    pub callee: Callee,
    /// Const generics.
    pub sizes: Vec<usize>,
    /// Arguments.
    pub arguments: Vec<Argument>,
    /// Tensors that it returns.
    pub results: Vec<(Variable, Shape)>,
}

/// What a step calls.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Callee {
    /// A method of the builder.
    Method(&'static str),
    /// A free function of the build API.
    Operator(&'static str),
    /// A function of the arch.
    Instance(InstanceId),
}

/// An argument of a step.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Argument {
    /// The builder itself.
    Builder,
    /// A tensor.
    Tensor(Variable),
    /// A checkpoint key, relative to the prefix of the function.
    Key(String),
    /// The prefix of a called function, relative to the prefix of this one.
    Prefix(String),
    /// A float32, as bits.
    Float(u32),
    /// An index.
    Integer(usize),
    /// A shape in the checkpoint.
    Shape(Vec<usize>),
    /// Whether a linear has a bias.
    Bias(bool),
}

/// A function of the arch with all sizes known.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Instance {
    /// Name of the function in the arch.
    pub name: String,
    /// Tensors that it takes.
    pub arguments: Vec<(Variable, Shape)>,
    /// What it does.
    pub steps: Vec<Step>,
    /// Tensors that it returns.
    pub results: Vec<(Variable, Shape)>,
}

/// An index into a [`Library`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct InstanceId(pub usize);

/// The instances of all backbones: equal ones are one.
#[derive(Default)]
pub struct Library {
    /// In order of first use.
    pub instances: Vec<Instance>,
    known: HashMap<Instance, InstanceId>,
}

impl Library {
    /// The id of an instance, which is added if it is new.
    pub fn intern(&mut self, instance: Instance) -> InstanceId {
        let instances = &mut self.instances;
        *self.known.entry(instance).or_insert_with_key(|instance| {
            instances.push(instance.clone());
            InstanceId(instances.len() - 1)
        })
    }
}

/// A backbone, evaluated.
pub struct Network {
    /// Name of the backbone.
    pub name: String,
    /// What it does.
    pub steps: Vec<Step>,
    /// The output image.
    pub output: (Variable, Shape),
}
