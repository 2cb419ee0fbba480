//! `scale` and `offset`: tokens and a number.

use luminal::prelude::{Dyn, GraphTensor};

use super::{Recogniser, Shapes, whole};
use crate::build::{Batch, formulas};
use crate::program::{Affine, Op};
use crate::raise::template::{ANY, Template};

type Any = GraphTensor<(Batch, Dyn<'l'>, Dyn<'d'>)>;

pub(super) fn recognisers() -> Vec<Recogniser> {
    vec![
        recogniser("scale", formulas::formula_scale, |factor| (factor, 0.0)),
        recogniser("offset", formulas::formula_offset, |summand| (1.0, summand)),
    ]
}

/// `meaning`: from the number to factor and summand.
fn recogniser(name: &'static str, formula: fn(Any, f32) -> Any, meaning: fn(f32) -> (f32, f32)) -> Recogniser {
    Recogniser {
        name,
        pattern: Template::pattern(|t| formula(t.batched(), ANY)),
        shapes: |found| {
            let shape = found.sizes(['l', 'd']);
            Shapes::new([&shape], &shape)
        },
        op: Box::new(move |found, holes, out| {
            let (scale, offset) = meaning(found.constant());
            Op::Affine(Affine { x: whole(holes[0], found.sizes(['l', 'd'])), scale, offset, out })
        }),
    }
}
