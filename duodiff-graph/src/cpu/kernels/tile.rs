//! The register tile of all matrix products: each element is one chain of fused multiply-adds over k ascending, from 0.

use crate::cpu::simd::{Kernel, LANES, Simd};

/// Rows of a group: what is packed together, and the tallest tile.
pub(in crate::cpu) const GROUP: usize = 12;
/// Columns of a chunk of a packed group.
pub(in crate::cpu) const CHUNK: usize = 512;
/// Floats from one row to the next within a chunk: an odd number of cache lines, so that rows fall into different sets.
pub(in crate::cpu) const STRIDE: usize = CHUNK + LANES;
/// Floats of the widest tile.
pub(in crate::cpu) const TILE: usize = GROUP * 2 * LANES;

/// Floats of a packed group of rows with `k` columns: chunk after chunk, each [`GROUP`] rows of [`STRIDE`].
pub(in crate::cpu) const fn group_floats(k: usize) -> usize {
    k.div_ceil(CHUNK) * GROUP * STRIDE
}

/// Where column `k` of row `row` of a packed group lies.
pub(in crate::cpu) const fn group_index(row: usize, k: usize) -> usize {
    (k / CHUNK) * GROUP * STRIDE + row * STRIDE + k % CHUNK
}

/// Floats of a packed matrix of `columns` columns: panels of 16, each `[k][16]`.
pub(in crate::cpu) const fn panel_floats(columns: usize, k: usize) -> usize {
    columns.div_ceil(LANES) * LANES * k
}

/// Multiplies the rows of a packed group with one panel, or two neighbours: `out[r][c] = Σ a[r][k]·b[k][c]`.
#[derive(Clone, Copy)]
pub(in crate::cpu) struct Product<'a> {
    /// K.
    pub k: usize,
    /// Rows that are wanted, at most 12.
    pub rows: usize,
    /// 1 or 2.
    pub panels: usize,
    /// A packed group of K columns.
    pub a: &'a [f32],
    /// Panels of `[k][16]`.
    pub b: &'a [f32],
}

/// A product on its way to `out`: a row for each of the group's 12, `panels · 16` wide; those past `rows` are left undefined.
pub(in crate::cpu) struct Multiply<'a, 'b>(pub Product<'a>, pub &'b mut [f32]);

impl Kernel for Multiply<'_, '_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self(Product { k, rows, panels, a, b }, out) = self;
        assert!(a.len() >= group_floats(k) && b.len() >= panels * k * LANES, "invariant: operands are packed");
        assert!(rows <= GROUP && out.len() >= GROUP * panels * LANES, "invariant: a tile fits");
        let (a, b, out) = (a.as_ptr(), b.as_ptr(), out.as_mut_ptr());
        if S::PANELS == 2 && panels == 2 {
            // SAFETY: lengths are checked above.
            unsafe { columns::<S, 2>(s, k, rows, 2 * LANES, a, b, out) }
        } else {
            for panel in 0..panels {
                // SAFETY: lengths are checked above; each panel is k · 16 floats.
                unsafe { columns::<S, 1>(s, k, rows, panels * LANES, a, b.add(panel * k * LANES), out.add(panel * LANES)) }
            }
        }
    }
}

/// `P` panels in tiles of at most `S::ROWS` rows, into rows of `width` floats.
///
/// # Safety
/// As checked in [`Multiply`].
#[inline(always)]
unsafe fn columns<S: Simd, const P: usize>(s: S, k: usize, rows: usize, width: usize, a: *const f32, b: *const f32, out: *mut f32) {
    let mut at = 0;
    while at < rows {
        let step = (rows - at).min(S::ROWS);
        // SAFETY: granted by the caller; a tile starts at a multiple of `S::ROWS`, which divides 12, and is not taller.
        unsafe {
            let (a, out) = (a.add(at * STRIDE), out.add(at * width));
            match step {
                1 => tile::<S, 1, P>(s, k, width, a, b, out),
                2 => tile::<S, 2, P>(s, k, width, a, b, out),
                3..=4 => tile::<S, 4, P>(s, k, width, a, b, out),
                5..=6 => tile::<S, 6, P>(s, k, width, a, b, out),
                7..=8 => tile::<S, 8, P>(s, k, width, a, b, out),
                _ => tile::<S, 12, P>(s, k, width, a, b, out),
            }
        }
        at += step;
    }
}

/// `R` rows by `P` panels, all sums in registers from first to last k.
///
/// # Safety
/// As checked in [`Multiply`], `a` and `out` from the tile's first row on.
#[inline(always)]
#[expect(clippy::needless_range_loop, reason = "constant bounds over arrays that must end up in registers")]
unsafe fn tile<S: Simd, const R: usize, const P: usize>(s: S, k: usize, width: usize, a: *const f32, b: *const f32, out: *mut f32) {
    let mut sums = [[s.splat(0.0); P]; R];
    let panel = k * LANES;
    let (mut a, mut b, mut left) = (a, b, k);
    // SAFETY: granted by the caller: k columns of `a`, chunk after chunk, and k rows of each panel are read.
    unsafe {
        while left > 0 {
            let steps = left.min(CHUNK);
            for i in 0..steps {
                let mut columns = [s.splat(0.0); P];
                for p in 0..P {
                    columns[p] = s.load(b.add(p * panel + i * LANES));
                }
                for r in 0..R {
                    let x = s.splat(*a.add(r * STRIDE + i));
                    for p in 0..P {
                        sums[r][p] = s.fma(x, columns[p], sums[r][p]);
                    }
                }
            }
            a = a.add(GROUP * STRIDE);
            b = b.add(steps * LANES);
            left -= steps;
        }
        for r in 0..R {
            for p in 0..P {
                s.store(out.add(r * width + p * LANES), sums[r][p]);
            }
        }
    }
}
