//! `rows` and `columns`; also a parameter that is copied for every image.

use luminal::prelude::symbolic::Expression;
use luminal::prelude::{Dyn, GraphTensor};

use super::{Recogniser, Shapes, whole};
use crate::build::{Batch, formulas};
use crate::program::{Op, Slice};
use crate::raise::template::Template;

type L = Dyn<'l'>;
type D = Dyn<'d'>;

pub(super) fn recognisers() -> Vec<Recogniser> {
    vec![rows(), columns(), copy()]
}

fn cut(t: &mut Template, axis: usize) -> GraphTensor<(Batch, L, D)> {
    let x = t.batched::<(Batch, L, D)>().no_shape();
    formulas::formula_cut(x, axis, Expression::from('s'), Expression::from('e'))
}

fn rows() -> Recogniser {
    Recogniser {
        name: "rows",
        pattern: Template::pattern(|t| cut(t, 1)),
        shapes: |found| {
            let [l, d, s, e] = found.sizes(['l', 'd', 's', 'e']);
            Shapes::new([&[l, d]], &[e - s, d])
        },
        op: Box::new(|found, holes, out| {
            let [l, d, s, e] = found.sizes(['l', 'd', 's', 'e']);
            Op::Slice(Slice { x: whole(holes[0], [l, d]).window(s..e, 0..d), out })
        }),
    }
}

fn columns() -> Recogniser {
    Recogniser {
        name: "columns",
        pattern: Template::pattern(|t| cut(t, 2)),
        shapes: |found| {
            let [l, d, s, e] = found.sizes(['l', 'd', 's', 'e']);
            Shapes::new([&[l, d]], &[l, e - s])
        },
        op: Box::new(|found, holes, out| {
            let [l, d, s, e] = found.sizes(['l', 'd', 's', 'e']);
            Op::Slice(Slice { x: whole(holes[0], [l, d]).window(0..l, s..e), out })
        }),
    }
}

fn copy() -> Recogniser {
    Recogniser {
        name: "copy",
        pattern: Template::pattern(|t| formulas::spread_batch(t.parameter::<(L, D)>()).contiguous()),
        shapes: |found| {
            let shape = found.sizes(['l', 'd']);
            Shapes::new([&shape], &shape)
        },
        op: Box::new(|found, holes, out| Op::Slice(Slice { x: whole(holes[0], found.sizes(['l', 'd'])), out })),
    }
}
