//! What follows the sums of a linear: bias, activation, residual, and the way into the output.

use super::linear::Linear;
use super::tile::WIDTH;
use crate::cpu::math::activate;
use crate::cpu::simd::{Kernel, LANES, Simd};
use crate::program::Activation;

/// Bias, activation and residual of a tile, into the output.
pub(in crate::cpu) struct Finish<'a> {
    pub linear: Linear<'a>,
    /// The sums, rows of 32.
    pub tile: &'a [f32],
    /// 1 or 2.
    pub panels: usize,
    /// The tile's first row, counted over all images.
    pub first: usize,
    /// Rows that are wanted.
    pub rows: usize,
    /// The tile's first column.
    pub column: usize,
}

impl Kernel for Finish<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        // A loop of its own for each activation.
        match self.linear.activation {
            None => self.rows(s, None),
            Some(Activation::Gelu) => self.rows(s, Some(Activation::Gelu)),
            Some(Activation::GeluTanh) => self.rows(s, Some(Activation::GeluTanh)),
            Some(Activation::Silu) => self.rows(s, Some(Activation::Silu)),
        }
    }
}

impl Finish<'_> {
    #[inline(always)]
    fn rows<S: Simd>(&self, s: S, activation: Option<Activation>) {
        for panel in 0..self.panels {
            if self.linear.n - self.column >= (panel + 1) * LANES {
                self.panel(s, activation, panel, LANES);
            } else {
                self.panel(s, activation, panel, self.linear.n - self.column - panel * LANES);
            }
        }
    }

    /// The first `count` columns of a panel.
    #[inline(always)]
    fn panel<S: Simd>(&self, s: S, activation: Option<Activation>, panel: usize, count: usize) {
        let Self { linear, first, rows, .. } = *self;
        let column = self.column + panel * LANES;
        let bias = linear.bias.map_or(s.splat(0.0), |bias| s.read(&bias[column..column + count]));
        // SAFETY: the launch resolved the window.
        let mut residuals = linear.residual.map(|window| unsafe { window.run(first, rows) });
        for (row, tile) in self.tile.chunks_exact(WIDTH).take(rows).enumerate() {
            let mut y = s.add(s.read(&tile[panel * LANES..][..LANES]), bias);
            if let Some(f) = activation {
                y = activate(s, f, y);
            }
            if let Some(residual) = residuals.as_mut().and_then(Iterator::next) {
                y = s.add(y, s.read(&residual[column..column + count]));
            }
            // SAFETY: the launch resolved the output; each task writes rows and columns of its own.
            s.write(unsafe { linear.out.row(first + row, column, count) }, y);
        }
    }
}
