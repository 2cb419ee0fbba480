//! `softmax` along each token.

use luminal::prelude::Dyn;

use super::{Recogniser, Shapes, whole};
use crate::build::{Batch, formulas};
use crate::program::{Op, Softmax};
use crate::raise::template::Template;

pub(super) fn recognisers() -> Vec<Recogniser> {
    vec![Recogniser {
        name: "softmax",
        pattern: Template::pattern(|t| formulas::formula_softmax(t.batched::<(Batch, Dyn<'l'>, Dyn<'d'>)>())),
        shapes: |found| {
            let shape = found.sizes(['l', 'd']);
            Shapes::new([&shape], &shape)
        },
        op: Box::new(|found, holes, out| Op::Softmax(Softmax { x: whole(holes[0], found.sizes(['l', 'd'])), out })),
    }]
}
