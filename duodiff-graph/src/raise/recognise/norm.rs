//! `norm`, with and without gain and shift, for any eps.

use luminal::prelude::{Dyn, GraphTensor};

use super::{Recogniser, Shapes, whole};
use crate::build::{Batch, formulas};
use crate::program::{Norm, Op, RowNorm};
use crate::raise::template::{ANY, Template};

type L = Dyn<'l'>;
type D = Dyn<'d'>;

pub(super) fn recognisers() -> Vec<Recogniser> {
    vec![affine(), plain()]
}

fn normalised(t: &mut Template) -> GraphTensor<(Batch, L, D)> {
    formulas::formula_norm(t.batched(), ANY)
}

fn affine() -> Recogniser {
    let pattern = Template::pattern(|t| {
        let (x, gain, shift) = (normalised(t), t.parameter(), t.parameter());
        formulas::formula_affine(x, gain, shift)
    });
    Recogniser {
        name: "norm",
        pattern,
        shapes: |found| {
            let [l, d] = found.sizes(['l', 'd']);
            Shapes::new([&[l, d], &[d], &[d]], &[l, d])
        },
        op: Box::new(|found, holes, out| {
            let norm = RowNorm { eps: found.constant(), gain: Some(holes[1]), shift: Some(holes[2]) };
            Op::Norm(Norm { x: whole(holes[0], found.sizes(['l', 'd'])), norm, out })
        }),
    }
}

fn plain() -> Recogniser {
    Recogniser {
        name: "norm",
        pattern: Template::pattern(normalised),
        shapes: |found| {
            let shape = found.sizes(['l', 'd']);
            Shapes::new([&shape], &shape)
        },
        op: Box::new(|found, holes, out| {
            let norm = RowNorm { eps: found.constant(), gain: None, shift: None };
            Op::Norm(Norm { x: whole(holes[0], found.sizes(['l', 'd'])), norm, out })
        }),
    }
}
