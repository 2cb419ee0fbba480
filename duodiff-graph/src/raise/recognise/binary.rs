//! Sums and products of two tokens, either of which may be a parameter, or of tokens and one row.

use luminal::prelude::{Dyn, GraphTensor};

use super::{Recogniser, Shapes, whole};
use crate::build::{Batch, formulas};
use crate::program::{Binary, BinaryFn, Op, ValueId};
use crate::raise::matching::Found;
use crate::raise::template::Template;

type L = Dyn<'l'>;
type D = Dyn<'d'>;
type Any = GraphTensor<(Batch, L, D)>;
type MakeOp = fn(&Found, &[ValueId], ValueId) -> Op;

/// Where an operand comes from.
type Source = fn(&mut Template) -> Any;

pub(super) fn recognisers() -> Vec<Recogniser> {
    let sum = both(
        "add",
        formulas::formula_add,
        [|f, v, o| same(f, v, o, BinaryFn::Add), |f, v, o| swapped(f, v, o, BinaryFn::Add), |f, v, o| row(f, v, o, BinaryFn::Add)],
    );
    let product = both(
        "mul",
        formulas::formula_mul,
        [|f, v, o| same(f, v, o, BinaryFn::Mul), |f, v, o| swapped(f, v, o, BinaryFn::Mul), |f, v, o| row(f, v, o, BinaryFn::Mul)],
    );
    sum.into_iter().chain(product).collect()
}

/// All combinations of sources for one function; a parameter beside tokens is always b.
fn both(name: &'static str, formula: fn(Any, Any) -> Any, [same, swapped, row]: [MakeOp; 3]) -> Vec<Recogniser> {
    let tokens: Source = |t| t.batched();
    let parameter: Source = |t| formulas::spread_batch(t.parameter::<(L, D)>());
    let one_row: Source = |t| formulas::spread_row(t.batched::<(Batch, D)>());
    let equal: fn(&Found) -> Shapes = |found| {
        let shape = found.sizes(['l', 'd']);
        Shapes::new([&shape, &shape], &shape)
    };
    let with_row: fn(&Found) -> Shapes = |found| {
        let shape = found.sizes(['l', 'd']);
        Shapes::new([&shape, &[1, shape[1]]], &shape)
    };
    let cases: [(Source, Source, fn(&Found) -> Shapes, MakeOp); 6] = [
        (tokens, tokens, equal, same),
        (tokens, parameter, equal, same),
        (parameter, tokens, equal, swapped),
        (parameter, parameter, equal, same),
        (tokens, one_row, with_row, row),
        (parameter, one_row, with_row, row),
    ];
    let recogniser = |(a, b, shapes, op): (Source, Source, _, _)| {
        let pattern = Template::pattern(|t| {
            let a = a(t);
            formula(a, b(t))
        });
        Recogniser { name, pattern, shapes, op }
    };
    cases.into_iter().map(recogniser).collect()
}

fn same(found: &Found, holes: &[ValueId], out: ValueId, f: BinaryFn) -> Op {
    let shape = found.sizes(['l', 'd']);
    Op::Binary(Binary { f, a: whole(holes[0], shape), b: whole(holes[1], shape), out })
}

fn swapped(found: &Found, holes: &[ValueId], out: ValueId, f: BinaryFn) -> Op {
    same(found, &[holes[1], holes[0]], out, f)
}

fn row(found: &Found, holes: &[ValueId], out: ValueId, f: BinaryFn) -> Op {
    let [l, d] = found.sizes(['l', 'd']);
    Op::Binary(Binary { f, a: whole(holes[0], [l, d]), b: whole(holes[1], [1, d]), out })
}
