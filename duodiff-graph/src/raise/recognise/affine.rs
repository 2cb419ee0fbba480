//! `scale` and `offset`: tokens and a number.

use luminal::prelude::{Dyn, GraphTensor};

use super::{Recogniser, Shapes, whole};
use crate::build::{Batch, formulas};
use crate::program::{Affine, Op, ValueId};
use crate::raise::matching::Found;
use crate::raise::template::{ANY, Template};

type Any = GraphTensor<(Batch, Dyn<'l'>, Dyn<'d'>)>;

pub(super) fn recognisers() -> Vec<Recogniser> {
    vec![
        recogniser("scale", formulas::formula_scale, |found, x, out| affine(found, x, out, found.constant(), 0.0)),
        recogniser("offset", formulas::formula_offset, |found, x, out| affine(found, x, out, 1.0, found.constant())),
    ]
}

fn recogniser(name: &'static str, formula: fn(Any, f32) -> Any, op: fn(&Found, &[ValueId], ValueId) -> Op) -> Recogniser {
    Recogniser {
        name,
        pattern: Template::pattern(|t| formula(t.batched(), ANY)),
        shapes: |found| {
            let shape = found.sizes(['l', 'd']);
            Shapes::new([&shape], &shape)
        },
        op,
    }
}

fn affine(found: &Found, x: &[ValueId], out: ValueId, scale: f32, offset: f32) -> Op {
    Op::Affine(Affine { x: whole(x[0], found.sizes(['l', 'd'])), scale, offset, out })
}
