//! The register tile of all matrix products: each element is one chain of fused multiply-adds over k ascending, from 0.

use crate::cpu::simd::{LANES, Simd};

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
///
/// `out` has a row for each of the group's 12, `panels · 16` wide; rows past `rows` are left undefined.
///
/// # Safety
/// `a` is a packed group of `k` columns, `b` has `panels` ∈ {1, 2} panels of `[k][16]`, `out` has [`TILE`] floats.
#[inline(always)]
pub(in crate::cpu) unsafe fn product<S: Simd>(s: S, k: usize, rows: usize, panels: usize, a: *const f32, b: *const f32, out: *mut f32) {
    if S::PANELS == 2 && panels == 2 {
        // SAFETY: granted by the caller.
        unsafe { columns::<S, 2>(s, k, rows, 2 * LANES, a, b, out) }
    } else {
        for panel in 0..panels {
            // SAFETY: granted by the caller; each panel is k · 16 floats.
            unsafe { columns::<S, 1>(s, k, rows, panels * LANES, a, b.add(panel * k * LANES), out.add(panel * LANES)) }
        }
    }
}

/// `P` panels in tiles of at most `S::ROWS` rows, into rows of `width` floats.
///
/// # Safety
/// As for [`product`].
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
/// As for [`product`], from row 0 of `a`.
#[inline(always)]
unsafe fn tile<S: Simd, const R: usize, const P: usize>(s: S, k: usize, width: usize, a: *const f32, b: *const f32, out: *mut f32) {
    let mut sums = [[s.splat(0.0); P]; R];
    let panel = k * LANES;
    let (mut a, mut b, mut left) = (a, b, k);
    // SAFETY: granted by the caller: k columns of `a`, chunk after chunk, and k rows of each panel are read.
    unsafe {
        while left > 0 {
            let steps = left.min(CHUNK);
            for i in 0..steps {
                let columns: [S::V; P] = std::array::from_fn(|p| s.load(b.add(p * panel + i * LANES)));
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
