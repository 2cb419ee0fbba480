//! `linear`, with and without bias.

use luminal::prelude::{Dyn, GraphTensor};

use super::{Recogniser, Shapes, whole};
use crate::build::{Batch, formulas};
use crate::program::{Linear, Op, ValueId};
use crate::raise::matching::Found;
use crate::raise::template::Template;

type L = Dyn<'l'>;
type I = Dyn<'i'>;
type O = Dyn<'o'>;

pub(super) fn recognisers() -> Vec<Recogniser> {
    vec![with_bias(), without_bias()]
}

fn product(t: &mut Template) -> GraphTensor<(Batch, L, O)> {
    let x = t.batched::<(Batch, L, I)>();
    formulas::formula_linear(x, t.parameter::<(O, I)>())
}

fn with_bias() -> Recogniser {
    let pattern = Template::pattern(|t| {
        let product = product(t);
        formulas::formula_bias(product, t.parameter())
    });
    Recogniser {
        name: "linear",
        pattern,
        shapes: |found| {
            let [l, i, o] = found.sizes(['l', 'i', 'o']);
            Shapes::new([&[l, i], &[o, i], &[o]], &[l, o])
        },
        op: Box::new(|found, holes, out| linear(found, holes, Some(holes[2]), out)),
    }
}

fn without_bias() -> Recogniser {
    Recogniser {
        name: "linear",
        pattern: Template::pattern(product),
        shapes: |found| {
            let [l, i, o] = found.sizes(['l', 'i', 'o']);
            Shapes::new([&[l, i], &[o, i]], &[l, o])
        },
        op: Box::new(|found, holes, out| linear(found, holes, None, out)),
    }
}

fn linear(found: &Found, holes: &[ValueId], bias: Option<ValueId>, out: ValueId) -> Op {
    let source = whole(holes[0], found.sizes(['l', 'i']));
    Op::Linear(Linear { sources: vec![source], norm: None, weight: holes[1], bias, activation: None, residual: None, out })
}
