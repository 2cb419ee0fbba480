//! `attention`, of one or two sequences, with any scale.

use luminal::prelude::Dyn;

use super::{Recogniser, Shapes, whole};
use crate::build::formulas;
use crate::program::{Attention, Op};
use crate::raise::template::{ANY, Template};

pub(super) fn recognisers() -> Vec<Recogniser> {
    let pattern = Template::pattern(|t| {
        let (q, k, v) = (t.batched(), t.batched(), t.batched());
        formulas::formula_attention::<Dyn<'l'>, Dyn<'m'>, Dyn<'d'>, Dyn<'h'>, Dyn<'k'>>(q, k, v, ANY)
    });
    vec![Recogniser {
        name: "attention",
        pattern,
        shapes: |found| {
            let [l, m, h, k] = found.sizes(['l', 'm', 'h', 'k']);
            Shapes::new([&[l, h * k], &[m, h * k], &[m, h * k]], &[l, h * k])
        },
        op: Box::new(|found, holes, out| {
            let [l, m, heads, k] = found.sizes(['l', 'm', 'h', 'k']);
            let tokens = |hole: usize, rows| whole(holes[hole], [rows, heads * k]);
            Op::Attention(Attention { q: tokens(0, l), k: tokens(1, m), v: tokens(2, m), heads, scale: found.constant(), out })
        }),
    }]
}
