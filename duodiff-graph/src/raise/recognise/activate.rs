//! The pointwise nonlinearities, of tokens of any size.

use luminal::prelude::{Dyn, GraphTensor};

use super::{Recogniser, Shapes, whole};
use crate::build::{Batch, formulas};
use crate::program::{Activate, Activation, Op};
use crate::raise::template::Template;

type Any = GraphTensor<(Batch, Dyn<'l'>, Dyn<'d'>)>;

pub(super) fn recognisers() -> Vec<Recogniser> {
    vec![
        recogniser("gelu", formulas::formula_gelu, Activation::Gelu),
        recogniser("gelu_tanh", formulas::formula_gelu_tanh, Activation::GeluTanh),
        recogniser("silu", formulas::formula_silu, Activation::Silu),
    ]
}

fn recogniser(name: &'static str, formula: fn(Any) -> Any, f: Activation) -> Recogniser {
    Recogniser {
        name,
        pattern: Template::pattern(|t| formula(t.batched())),
        shapes: |found| {
            let shape = found.sizes(['l', 'd']);
            Shapes::new([&shape], &shape)
        },
        op: Box::new(move |found, holes, out| Op::Activate(Activate { x: whole(holes[0], found.sizes(['l', 'd'])), f, out })),
    }
}
