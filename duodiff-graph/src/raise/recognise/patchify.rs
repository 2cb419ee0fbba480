//! The first half of `patch_embed`; the second is a linear.

use luminal::prelude::Dyn;

use super::{Recogniser, Shapes};
use crate::build::{Batch, formulas};
use crate::program::{Op, Patchify};
use crate::raise::template::Template;

pub(super) fn recognisers() -> Vec<Recogniser> {
    let pattern = Template::pattern(|t| {
        let image = t.batched::<(Batch,)>().no_shape();
        formulas::formula_patchify::<Dyn<'c'>, Dyn<'h'>, Dyn<'p'>, Dyn<'w'>, ()>(image)
    });
    vec![Recogniser {
        name: "patchify",
        pattern,
        shapes: |found| {
            let [c, h, w, p] = found.sizes(['c', 'h', 'w', 'p']);
            Shapes::new([&[c, h * p, w * p]], &[h * w, c * p * p])
        },
        op: Box::new(|found, holes, out| Op::Patchify(Patchify { image: holes[0], patch: found.size('p'), out })),
    }]
}
