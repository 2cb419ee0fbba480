//! `conv3x3`, with bias.

use luminal::prelude::Dyn;

use super::{Recogniser, Shapes};
use crate::build::formulas;
use crate::program::{Conv3x3, Op};
use crate::raise::template::Template;

pub(super) fn recognisers() -> Vec<Recogniser> {
    let pattern = Template::pattern(|t| {
        let (image, weight, bias) = (t.batched(), t.parameter(), t.parameter());
        formulas::formula_conv3x3::<Dyn<'c'>, Dyn<'h'>, Dyn<'w'>, Dyn<'n'>, Dyn<'k'>, Dyn<'o'>>(image, weight, bias)
    });
    vec![Recogniser {
        name: "conv3x3",
        pattern,
        shapes: |found| {
            let [c, h, w, o] = found.sizes(['c', 'h', 'w', 'o']);
            Shapes::new([&[c, h, w], &[o, c, 3, 3], &[o]], &[o, h, w])
        },
        op: Box::new(|_, holes, out| Op::Conv3x3(Conv3x3 { x: holes[0], weight: holes[1], bias: holes[2], out })),
    }]
}
