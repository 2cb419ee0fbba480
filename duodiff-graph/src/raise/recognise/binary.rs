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

/// Where an operand comes from.
#[derive(Clone, Copy, PartialEq)]
enum Source {
    /// Tokens of each image.
    Tokens,
    /// A parameter, the same for all images.
    Parameter,
    /// One row for all tokens.
    Row,
}

impl Source {
    fn hole(self, t: &mut Template) -> Any {
        match self {
            Self::Tokens => t.batched(),
            Self::Parameter => formulas::spread_batch(t.parameter::<(L, D)>()),
            Self::Row => formulas::spread_row(t.batched::<(Batch, D)>()),
        }
    }
}

pub(super) fn recognisers() -> Vec<Recogniser> {
    use Source::{Parameter, Row, Tokens};
    let sources = [(Tokens, Tokens), (Tokens, Parameter), (Parameter, Tokens), (Parameter, Parameter), (Tokens, Row), (Parameter, Row)];
    let both = |(a, b)| [recogniser(BinaryFn::Add, a, b), recogniser(BinaryFn::Mul, a, b)];
    sources.into_iter().flat_map(both).collect()
}

fn recogniser(f: BinaryFn, a: Source, b: Source) -> Recogniser {
    let (name, formula): (_, fn(Any, Any) -> Any) = match f {
        BinaryFn::Add => ("add", formulas::formula_add),
        BinaryFn::Mul => ("mul", formulas::formula_mul),
    };
    let pattern = Template::pattern(|t| {
        let a = a.hole(t);
        formula(a, b.hole(t))
    });
    let op = move |found: &Found, holes: &[ValueId], out| {
        let [l, d] = found.sizes(['l', 'd']);
        let x = whole(holes[0], [l, d]);
        let y = whole(holes[1], [if b == Source::Row { 1 } else { l }, d]);
        // A parameter beside tokens is always the second operand.
        let swap = (a, b) == (Source::Parameter, Source::Tokens);
        let (a, b) = if swap { (y, x) } else { (x, y) };
        Op::Binary(Binary { f, a, b, out })
    };
    Recogniser { name, pattern, shapes: if b == Source::Row { with_row } else { equal }, op: Box::new(op) }
}

fn equal(found: &Found) -> Shapes {
    let shape = found.sizes(['l', 'd']);
    Shapes::new([&shape, &shape], &shape)
}

fn with_row(found: &Found) -> Shapes {
    let shape = found.sizes(['l', 'd']);
    Shapes::new([&shape, &[1, shape[1]]], &shape)
}
