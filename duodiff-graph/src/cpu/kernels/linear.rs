//! The fused linear: rows packed (and normalised) once per task, then tile after tile with its epilogue.

use super::norm::RowNorm;
use super::pack;
use super::tile::{GROUP, TILE, group_floats, product};
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
    /// Panels as [`pack::weight`] makes them.
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
        for (group, packed) in groups.clone().zip(packed.chunks_exact_mut(floats)) {
            // SAFETY: the launch resolved the windows; the rows lie within the product's.
            unsafe { pack::group(s, linear.sources, linear.norm, group * GROUP, count(group), packed) };
        }
        for pair in pairs {
            let panel = 2 * pair;
            let panels = (linear.n.div_ceil(LANES) - panel).min(2);
            let weight = linear.weight[panel * LANES * linear.k..].as_ptr();
            for (group, packed) in groups.clone().zip(packed.chunks_exact(floats)) {
                // SAFETY: a packed group, `panels` whole panels, and TILE floats.
                unsafe { product(s, linear.k, count(group), panels, packed.as_ptr(), weight, tile.as_mut_ptr()) };
                linear.finish(s, tile, panels, group * GROUP, count(group), panel * LANES);
            }
        }
    }
}

impl Linear<'_> {
    /// Bias, activation and residual of a tile, into `out`.
    #[inline(always)]
    fn finish<S: Simd>(&self, s: S, tile: &[f32], panels: usize, first: usize, rows: usize, column: usize) {
        let columns = (self.n - column).min(panels * LANES);
        for (row, tile) in (first..first + rows).zip(tile.chunks_exact(panels * LANES)) {
            // SAFETY: the launch resolved the windows; each task writes rows and columns of its own.
            let (out, residual) = unsafe { (self.out.row(row, column, columns), self.residual.map(|window| &window.row(row)[column..])) };
            for (i, (out, x)) in out.chunks_mut(LANES).zip(tile.chunks_exact(LANES)).enumerate() {
                let mut y = s.read(x);
                if let Some(bias) = self.bias {
                    y = s.add(y, s.read(&bias[column + i * LANES..]));
                }
                if let Some(f) = self.activation {
                    y = activate(s, f, y);
                }
                if let Some(residual) = residual {
                    y = s.add(y, s.read(&residual[i * LANES..]));
                }
                s.write(out, y);
            }
        }
    }
}
