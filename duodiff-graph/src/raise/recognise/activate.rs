//! The pointwise nonlinearities, of tokens of any size.

use luminal::prelude::{Dyn, GraphTensor};

use super::{Recogniser, Shapes, whole};
use crate::build::{Batch, formulas};
use crate::program::{Activate, Activation, Op, ValueId};
use crate::raise::matching::Found;
use crate::raise::template::Template;

type Any = GraphTensor<(Batch, Dyn<'l'>, Dyn<'d'>)>;

pub(super) fn recognisers() -> Vec<Recogniser> {
    vec![
        recogniser("gelu", formulas::formula_gelu, |found, x, out| op(found, x, out, Activation::Gelu)),
        recogniser("gelu_tanh", formulas::formula_gelu_tanh, |found, x, out| op(found, x, out, Activation::GeluTanh)),
        recogniser("silu", formulas::formula_silu, |found, x, out| op(found, x, out, Activation::Silu)),
    ]
}

fn recogniser(name: &'static str, formula: fn(Any) -> Any, op: fn(&Found, &[ValueId], ValueId) -> Op) -> Recogniser {
    Recogniser {
        name,
        pattern: Template::pattern(|t| formula(t.batched())),
        shapes: |found| {
            let shape = found.sizes(['l', 'd']);
            Shapes::new([&shape], &shape)
        },
        op,
    }
}

fn op(found: &Found, x: &[ValueId], out: ValueId, f: Activation) -> Op {
    Op::Activate(Activate { x: whole(x[0], found.sizes(['l', 'd'])), f, out })
}
