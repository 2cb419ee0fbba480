//! From declarations to networks: names first, then the pair's keys, then every backbone evaluated with its shapes.

mod arithmetic;
mod backbones;
mod calls;
mod evaluate;
mod frame;
mod names;
mod network;
mod operators;
mod pair;
mod phases;
mod process;
mod signature;
mod value;

pub use backbones::evaluate_backbones;
pub use names::check_arch;
pub use network::{Argument, Callee, Instance, Library, Network, Shape, Step, Variable};
pub use pair::{Backbone, CheckedPair, Phase, Process, check_pair};
