//! `join_tokens` and `join_features`: two parts; more parts are nested to the left.

use luminal::prelude::Dyn;

use super::{Recogniser, Shapes, whole};
use crate::build::{Batch, formulas};
use crate::program::{Join, JoinAxis, Op};
use crate::raise::template::{Pattern, Template};

type L = Dyn<'l'>;
type M = Dyn<'m'>;
type D = Dyn<'d'>;
type E = Dyn<'e'>;

pub(super) fn recognisers() -> Vec<Recogniser> {
    vec![tokens(), features()]
}

fn tokens() -> Recogniser {
    let pattern: Pattern = Template::pattern(|t| {
        let a = t.batched::<(Batch, L, D)>().no_shape();
        formulas::formula_join::<(Batch, L, D)>(a, t.batched::<(Batch, M, D)>().no_shape(), 1)
    });
    Recogniser {
        name: "join_tokens",
        pattern,
        shapes: |found| {
            let [l, m, d] = found.sizes(['l', 'm', 'd']);
            Shapes::new([&[l, d], &[m, d]], &[l + m, d])
        },
        op: Box::new(|found, holes, out| {
            let [l, m, d] = found.sizes(['l', 'm', 'd']);
            Op::Join(Join { axis: JoinAxis::Rows, parts: vec![whole(holes[0], [l, d]), whole(holes[1], [m, d])], out })
        }),
    }
}

fn features() -> Recogniser {
    let pattern: Pattern = Template::pattern(|t| {
        let a = t.batched::<(Batch, L, D)>().no_shape();
        formulas::formula_join::<(Batch, L, D)>(a, t.batched::<(Batch, L, E)>().no_shape(), 2)
    });
    Recogniser {
        name: "join_features",
        pattern,
        shapes: |found| {
            let [l, d, e] = found.sizes(['l', 'd', 'e']);
            Shapes::new([&[l, d], &[l, e]], &[l, d + e])
        },
        op: Box::new(|found, holes, out| {
            let [l, d, e] = found.sizes(['l', 'd', 'e']);
            Op::Join(Join { axis: JoinAxis::Columns, parts: vec![whole(holes[0], [l, d]), whole(holes[1], [l, e])], out })
        }),
    }
}
