//! `unpatchify`: tokens as patches of an image.

use luminal::prelude::Dyn;

use super::{Recogniser, Shapes, whole};
use crate::build::{Batch, formulas};
use crate::program::{Op, Unpatchify};
use crate::raise::template::Template;

pub(super) fn recognisers() -> Vec<Recogniser> {
    let pattern = Template::pattern(|t| {
        let x = t.batched::<(Batch,)>().no_shape();
        formulas::formula_unpatchify::<Dyn<'h'>, Dyn<'w'>, Dyn<'p'>, Dyn<'c'>, ()>(x)
    });
    vec![Recogniser {
        name: "unpatchify",
        pattern,
        shapes: |found| {
            let [c, h, w, p] = found.sizes(['c', 'h', 'w', 'p']);
            Shapes::new([&[h * w, p * p * c]], &[c, h * p, w * p])
        },
        op: Box::new(|found, holes, out| {
            let [c, h, w, p] = found.sizes(['c', 'h', 'w', 'p']);
            Op::Unpatchify(Unpatchify { x: whole(holes[0], [h * w, p * p * c]), patch: p, out })
        }),
    }]
}
