//! The register tile of all matrix products: each element is one chain of fused multiply-adds over k ascending, from 0.

use super::near::Near;
use crate::cpu::rows::Hint;
use crate::cpu::simd::{Kernel, LANES, Simd};

/// Rows of the tallest and of the lowest group of any instruction set.
pub(in crate::cpu) const TALLEST: usize = 13;
const LOWEST: usize = 4;
/// Columns of a group of a linear. A longer K is multiplied chunk by chunk, so that what is packed stays small.
pub(in crate::cpu) const CHUNK: usize = 1024;
/// Columns of the widest tile.
pub(in crate::cpu) const WIDTH: usize = 2 * LANES;
/// Floats of the widest tile.
pub(in crate::cpu) const TILE: usize = TALLEST * WIDTH;

/// Rows of a panel between the one that is multiplied and the one that is prefetched.
const DISTANCE: usize = 10;

/// Lines that are brought near all at once, before the first k; of more, a row with each k, since a core waits for few lines at a time.
const BURST: usize = 8;

/// k of an iteration, so that counting them costs little.
const UNROLL: usize = 4;

/// Floats of a packed group of rows with `k` columns: `[k][ROWS]`, and as many more as whole vectors need past the last.
pub(in crate::cpu) const fn group_floats<S: Simd>(k: usize) -> usize {
    (k * S::ROWS).next_multiple_of(LANES) + LANES
}

/// Floats that are enough for groups of so many rows with `k` columns, whatever the instruction set.
pub(in crate::cpu) const fn groups_floats(rows: usize, k: usize) -> usize {
    (rows + TALLEST - 1) * k + rows.div_ceil(LOWEST) * 2 * LANES
}

/// Floats of a packed matrix of `columns` columns: panels of 16, each `[k][16]`.
pub(in crate::cpu) const fn panel_floats(columns: usize, k: usize) -> usize {
    columns.div_ceil(LANES) * LANES * k
}

/// Where a tile's sums lie: 16 columns of row r under panel p at `base + r · stride + p · panel`.
#[derive(Clone, Copy)]
pub(in crate::cpu) struct Sums {
    /// First float.
    pub base: *mut f32,
    /// Floats from one row to the next.
    pub stride: usize,
    /// Floats from one panel to the next.
    pub panel: usize,
}

impl Sums {
    /// In a tile of its own, of rows of 32.
    pub fn of(tile: &mut [f32]) -> Self {
        assert!(tile.len() >= TILE, "invariant: a tile fits");
        Self { base: tile.as_mut_ptr(), stride: WIDTH, panel: LANES }
    }

    fn at(self, row: usize, panel: usize) -> *mut f32 {
        self.base.wrapping_add(row * self.stride + panel * self.panel)
    }
}

/// Multiplies the rows of a packed group with one panel, or two neighbours: `to[r][c] = from[r][c] + Σ a[r][k]·b[k][c]`.
pub(in crate::cpu) struct Multiply<'a> {
    /// Number of k.
    pub k: usize,
    /// Number of rows, at most `S::ROWS`.
    pub rows: usize,
    /// 1 or 2.
    pub panels: usize,
    /// A packed group of that many columns: row r of column k at `k · ROWS + r`.
    pub a: &'a [f32],
    /// The first panel, from the first k on.
    pub b: &'a [f32],
    /// Floats from one panel to the next.
    pub panel: usize,
    /// Brought into the second-level cache meanwhile, a step for each k of each tile.
    pub ahead: Hint,
    /// Brought into the first-level cache meanwhile.
    pub near: Near,
    /// Sums to begin with; none for zeros.
    pub from: Option<Sums>,
    /// The sums, panels · 16 columns of each row.
    pub to: Sums,
}

impl Kernel for Multiply<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { k, rows, panels, panel, .. } = self;
        assert!(self.a.len() >= k * S::ROWS && self.b.len() >= (panels - 1) * panel + k * LANES, "invariant: operands are packed");
        assert!(rows <= S::ROWS, "invariant: a tile fits");
        let side = Side { k, panel, b: self.b.as_ptr(), ahead: self.ahead, near: self.near, first: 0 };
        if S::PANELS == 2 && panels == 2 {
            // SAFETY: lengths are checked above; the caller grants the sums.
            unsafe { columns::<S, 2>(s, side, &self) }
        } else {
            for index in 0..panels {
                let b = self.b[index * panel..].as_ptr();
                // SAFETY: lengths are checked above; the caller grants the sums.
                unsafe { columns::<S, 1>(s, Side { b, first: index, ahead: side.ahead.from(index * k), ..side }, &self) }
            }
        }
    }
}

/// The panels' side of a tile.
#[derive(Clone, Copy)]
struct Side {
    k: usize,
    panel: usize,
    b: *const f32,
    ahead: Hint,
    near: Near,
    /// Index of the first panel.
    first: usize,
}

/// `P` panels.
///
/// # Safety
/// As checked in [`Multiply`].
#[inline(always)]
unsafe fn columns<S: Simd, const P: usize>(s: S, side: Side, product: &Multiply<'_>) {
    let place = |sums: Sums| Sums { base: sums.at(0, side.first), ..sums };
    let (from, to) = (product.from.map(place), place(product.to));
    let side = Side { near: side.near.from(side.first * LANES), ..side };
    macro_rules! of_height {
        ($($rows:literal)+) => {
            match product.rows {
                // SAFETY: granted by the caller.
                $($rows => unsafe { tile::<S, $rows, P>(s, side, product.a.as_ptr(), from, to) },)+
                _ => unreachable!("invariant: a tile fits"),
            }
        };
    }
    of_height!(1 2 3 4 5 6 7 8 9 10 11 12 13);
}

/// `R` rows by `P` panels, all sums in registers from first to last k.
///
/// # Safety
/// As checked in [`Multiply`].
#[inline(always)]
#[expect(clippy::needless_range_loop, reason = "constant bounds over arrays that must end up in registers")]
unsafe fn tile<S: Simd, const R: usize, const P: usize>(s: S, side: Side, a: *const f32, from: Option<Sums>, to: Sums) {
    if R > S::ROWS {
        // Never called; nothing is compiled.
        return;
    }
    let mut sums = [[s.splat(0.0); P]; R];
    let Side { k, panel, b, ahead, near, .. } = side;
    // SAFETY: granted by the caller: k columns of `a` and k rows of each panel are read.
    unsafe {
        if let Some(from) = from {
            for r in 0..R {
                for p in 0..P {
                    sums[r][p] = s.load(from.at(r, p));
                }
            }
        }
        let mut i = 0;
        // Nothing is tested where nothing is to be brought near.
        if !near.is_none() {
            if R * P <= BURST {
                for row in 0..R {
                    near.bring(s, row, P);
                }
            } else {
                while i < k.min(R) {
                    near.bring(s, i, P);
                    step::<S, R, P>(s, panel, a, b, ahead, i, &mut sums);
                    i += 1;
                }
            }
        }
        while i + UNROLL <= k {
            for u in 0..UNROLL {
                step::<S, R, P>(s, panel, a, b, ahead, i + u, &mut sums);
            }
            i += UNROLL;
        }
        for i in i..k {
            step::<S, R, P>(s, panel, a, b, ahead, i, &mut sums);
        }
        for r in 0..R {
            for p in 0..P {
                s.store(to.at(r, p), sums[r][p]);
            }
        }
    }
}

/// One k of a tile.
///
/// # Safety
/// As checked in [`Multiply`].
#[inline(always)]
#[expect(clippy::needless_range_loop, reason = "constant bounds over arrays that must end up in registers")]
unsafe fn step<S: Simd, const R: usize, const P: usize>(
    s: S,
    panel: usize,
    a: *const f32,
    b: *const f32,
    ahead: Hint,
    i: usize,
    sums: &mut [[S::V; P]; R],
) {
    // SAFETY: granted by the caller.
    unsafe {
        let mut columns = [s.splat(0.0); P];
        for p in 0..P {
            let row = b.wrapping_add(p * panel + i * LANES);
            columns[p] = s.load(row);
            s.prefetch(row.wrapping_add(DISTANCE * LANES));
        }
        s.prefetch_far(ahead.at(i));
        for r in 0..R {
            let x = s.splat(*a.add(i * S::ROWS + r));
            for p in 0..P {
                sums[r][p] = s.fma(x, columns[p], sums[r][p]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::Isa;

    #[test]
    fn groups_of_all_instruction_sets_fit() {
        for isa in [Isa::Portable, Isa::Avx2, Isa::Avx512] {
            assert!((LOWEST..=TALLEST).contains(&isa.rows()), "{isa:?}");
        }
    }
}
