//! Sizes: numbers and the batch in a built graph; letters and sums of letters in a template.

use luminal::prelude::symbolic::{BigExpression, Expression, Term};

use super::nodes::{Edge, EdgeAxis, Sizes};

/// A size of a built graph: a number, or `None` for the batch.
pub(super) type Size = Option<usize>;

/// Reads a built graph: every size is a number or the batch.
pub(super) struct Numbers;

impl Sizes<Size> for Numbers {
    fn size(&self, expression: &Expression) -> Option<Size> {
        match expression.terms.as_slice() {
            [Term::Num(number)] => usize::try_from(*number).ok().map(Some),
            [Term::Var('b')] => Some(None),
            _ => expression.to_usize().map(Some),
        }
    }

    fn constant(&self, expression: &BigExpression) -> Option<Size> {
        expression.to_usize().map(Some)
    }
}

/// A size of a template.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Letter {
    /// The batch.
    Batch,
    /// This very number.
    Number(usize),
    /// Any number, the same wherever the letter stands.
    Free(char),
    /// What the letters in it come to.
    Compound(BigExpression),
}

/// Reads a template.
pub(super) struct Letters;

impl Sizes<Letter> for Letters {
    fn size(&self, expression: &Expression) -> Option<Letter> {
        self.constant(&BigExpression::from(*expression))
    }

    fn constant(&self, expression: &BigExpression) -> Option<Letter> {
        Some(match expression.terms[..] {
            [Term::Var('b')] => Letter::Batch,
            [Term::Var(letter)] => Letter::Free(letter),
            [Term::Num(number)] => Letter::Number(usize::try_from(number).ok()?),
            _ => Letter::Compound(expression.clone()),
        })
    }
}

impl EdgeAxis<Size> {
    /// The length after padding, before slicing; `None` for the batch.
    pub(super) fn padded(&self) -> Size {
        let [before, after] = self.padding.map(|padding| padding.unwrap_or(0));
        self.length.map(|length| before + length + after)
    }

    /// First and last + 1 element that is read; `None` for the batch.
    pub(super) fn range(&self) -> Option<[usize; 2]> {
        let padded = self.padded()?;
        Some(match self.slice {
            Some([start, end]) => [start.unwrap_or(0), end.unwrap_or(padded).min(padded)],
            None => [0, padded],
        })
    }

    /// The logical length; `None` for the batch.
    pub(super) fn logical(&self) -> Size {
        self.range().map(|[start, end]| end.saturating_sub(start))
    }
}

impl Edge<Size> {
    /// The logical shape, with the batch.
    pub(super) fn logical(&self) -> Vec<Size> {
        self.order.iter().map(|&axis| self.axes[axis].logical()).collect()
    }

    /// The stored shape, with the batch.
    pub(super) fn stored(&self) -> Vec<Size> {
        self.axes.iter().filter(|axis| !axis.broadcast).map(|axis| axis.length).collect()
    }
}
