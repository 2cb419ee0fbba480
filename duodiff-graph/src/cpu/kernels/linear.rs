//! The fused linear: rows packed (and normalised) once per task, then tile after tile with its epilogue.

use super::norm::RowNorm;
use super::pack::Group;
use super::tile::{GROUP, Multiply, Product, TILE, group_floats};
use crate::cpu::math::activate;
use crate::cpu::rows::{Rows, RowsMut, Scratch};
use crate::cpu::simd::{Kernel, LANES, Simd};
use crate::program::Activation;

/// Packed rows of a task take at most this many floats, so that they stay in the second-level cache.
const TASK_FLOATS: usize = 96 * 1024;

/// `out = residual + f(norm(join(sources)) · weightᵀ + bias)`.
#[derive(Clone, Copy)]
pub(in crate::cpu) struct Linear<'a> {
    /// One or two windows, their columns joined.
    pub sources: &'a [Rows],
    /// Layer norm of the joined rows.
    pub norm: Option<RowNorm<'a>>,
    /// Panels as [`super::pack::weight`] makes them.
    pub weight: &'a [f32],
    /// K.
    pub k: usize,
    /// N.
    pub n: usize,
    /// `[N]`.
    pub bias: Option<&'a [f32]>,
    /// Applied to product + bias.
    pub activation: Option<Activation>,
    /// Added last.
    pub residual: Option<Rows>,
    /// `[M, N]`.
    pub out: RowsMut,
}

/// How a product is cut into tasks: `rows` × `columns` of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cpu) struct Cut {
    groups: usize,
    pairs: usize,
    rows: usize,
    columns: usize,
}

/// Groups of 12 rows that a task may pack.
fn task_groups(k: usize) -> usize {
    (TASK_FLOATS / group_floats(k)).max(1)
}

/// Scratch floats of one worker for a product over `m` rows in all and `k` columns.
pub(in crate::cpu) fn scratch(m: usize, k: usize) -> usize {
    m.div_ceil(GROUP).min(task_groups(k)) * group_floats(k) + TILE
}

impl Cut {
    /// Even shares of the groups of rows, several per thread; of columns too, where rows are too few.
    pub fn new(m: usize, k: usize, n: usize, threads: usize) -> Self {
        let (groups, pairs) = (m.div_ceil(GROUP), n.div_ceil(2 * LANES));
        let rows = groups.div_ceil(task_groups(k)).next_multiple_of(threads).min(groups);
        let columns = if rows < threads { threads.div_ceil(rows).min(pairs) } else { 1 };
        Self { groups, pairs, rows, columns }
    }

    /// Number of tasks.
    pub fn tasks(self) -> usize {
        self.rows * self.columns
    }
}

/// Part `index` of `0..total` in `parts` nearly equal parts.
fn share(total: usize, parts: usize, index: usize) -> std::ops::Range<usize> {
    total * index / parts..total * (index + 1) / parts
}

/// One task of a linear.
pub(in crate::cpu) struct Task<'a> {
    pub linear: Linear<'a>,
    pub cut: Cut,
    pub index: usize,
    pub scratch: Scratch,
    pub worker: usize,
}

impl Kernel for Task<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { linear, cut, .. } = self;
        let groups = share(cut.groups, cut.rows, self.index / cut.columns);
        let pairs = share(cut.pairs, cut.columns, self.index % cut.columns);
        // SAFETY: the launch sized the scratch by `scratch`; the worker runs one task at a time.
        let (tile, packed) = unsafe { self.scratch.of(self.worker) }.split_at_mut(TILE);
        let floats = group_floats(linear.k);
        let count = |group: usize| (linear.out.total - group * GROUP).min(GROUP);
        for (group, out) in groups.clone().zip(packed.chunks_exact_mut(floats)) {
            s.call(Group { sources: linear.sources, norm: linear.norm, first: group * GROUP, count: count(group), out });
        }
        for pair in pairs {
            let panel = 2 * pair;
            let panels = (linear.n.div_ceil(LANES) - panel).min(2);
            let b = &linear.weight[panel * LANES * linear.k..];
            for (group, a) in groups.clone().zip(packed.chunks_exact(floats)) {
                let rows = count(group);
                s.call(Multiply(Product { k: linear.k, rows, panels, a, b }, tile));
                s.call(Finish { linear, tile, panels, first: group * GROUP, rows, column: panel * LANES });
            }
        }
    }
}

/// Bias, activation and residual of a tile, into the output.
struct Finish<'a> {
    linear: Linear<'a>,
    tile: &'a [f32],
    panels: usize,
    first: usize,
    rows: usize,
    column: usize,
}

impl Kernel for Finish<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { linear, column, .. } = self;
        let columns = (linear.n - column).min(self.panels * LANES);
        for (row, tile) in (self.first..self.first + self.rows).zip(self.tile.chunks_exact(self.panels * LANES)) {
            // SAFETY: the launch resolved the windows; each task writes rows and columns of its own.
            let (out, residual) = unsafe { (linear.out.row(row, column, columns), linear.residual.map(|window| window.row(row))) };
            for (out, (x, column)) in out.chunks_mut(LANES).zip(tile.chunks_exact(LANES).zip((column..).step_by(LANES))) {
                let mut y = s.read(x);
                if let Some(bias) = linear.bias {
                    y = s.add(y, s.read(&bias[column..]));
                }
                if let Some(f) = linear.activation {
                    y = activate(s, f, y);
                }
                if let Some(residual) = residual {
                    y = s.add(y, s.read(&residual[column..]));
                }
                s.write(out, y);
            }
        }
    }
}
