//! `embedding`: the label's row of a table.

use luminal::prelude::Dyn;

use super::{Recogniser, Shapes};
use crate::build::formulas;
use crate::program::{Embedding, Op};
use crate::raise::template::Template;

pub(super) fn recognisers() -> Vec<Recogniser> {
    let pattern = Template::pattern(|t| {
        let table = t.parameter();
        formulas::formula_embedding::<Dyn<'c'>, Dyn<'d'>>(table, t.label())
    });
    vec![Recogniser {
        name: "embedding",
        pattern,
        shapes: |found| {
            let [c, d] = found.sizes(['c', 'd']);
            Shapes::new([&[c, d], &[]], &[1, d])
        },
        op: Box::new(|_, holes, out| Op::Embedding(Embedding { table: holes[0], label: holes[1], out })),
    }]
}
