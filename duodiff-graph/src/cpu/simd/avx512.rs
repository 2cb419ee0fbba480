//! The sixteen lanes as one AVX-512 register.

use std::arch::x86_64::*;

use super::{Kernel, LANES, Simd};

/// Proof that the machine has AVX-512F: made in [`run`] only.
#[derive(Clone, Copy)]
pub(super) struct Avx512(());

/// Runs a kernel compiled for AVX-512F.
///
/// # Safety
/// The machine has AVX-512F, AVX2 and FMA.
#[inline(never)]
#[target_feature(enable = "avx512f,avx2,fma")]
pub(super) unsafe fn run(kernel: impl Kernel) {
    kernel.run(Avx512(()));
}

/// The mask of the first `count` lanes.
#[inline(always)]
fn first(count: usize) -> __mmask16 {
    if count >= LANES { __mmask16::MAX } else { (1 << count) - 1 }
}

macro_rules! lanewise {
    ($($name:ident($($arg:ident),+) = $intrinsic:ident;)+) => {$(
        #[inline(always)]
        fn $name(self, $($arg: Self::V),+) -> Self::V {
            // SAFETY: the token proves that the instruction exists.
            unsafe { $intrinsic($($arg),+) }
        }
    )+};
}

impl Simd for Avx512 {
    type V = __m512;
    const ROWS: usize = 13;
    const PANELS: usize = 2;

    #[inline(always)]
    fn call(self, kernel: impl Kernel) {
        // SAFETY: the token proves that the machine has the features.
        unsafe { run(kernel) }
    }

    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> Self::V {
        // SAFETY: the caller grants 16 floats; the token proves that the instruction exists.
        unsafe { _mm512_loadu_ps(from) }
    }

    #[inline(always)]
    fn prefetch(self, from: *const f32) {
        // SAFETY: a hint, which never faults.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(from.cast()) }
    }

    #[inline(always)]
    fn prefetch_to_write(self, to: *const f32) {
        // SAFETY: a hint, which never faults.
        unsafe { _mm_prefetch::<_MM_HINT_ET0>(to.cast()) }
    }

    #[inline(always)]
    fn prefetch_far(self, from: *const f32) {
        // SAFETY: a hint, which never faults.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(from.cast()) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32, v: Self::V) {
        // SAFETY: the caller grants 16 floats; the token proves that the instruction exists.
        unsafe { _mm512_storeu_ps(to, v) }
    }

    #[inline(always)]
    fn splat(self, x: f32) -> Self::V {
        // SAFETY: the token proves that the instruction exists.
        unsafe { _mm512_set1_ps(x) }
    }

    lanewise! {
        add(a, b) = _mm512_add_ps;
        sub(a, b) = _mm512_sub_ps;
        mul(a, b) = _mm512_mul_ps;
        div(a, b) = _mm512_div_ps;
        max(a, b) = _mm512_max_ps;
        min(a, b) = _mm512_min_ps;
        fma(a, b, c) = _mm512_fmadd_ps;
    }

    #[inline(always)]
    fn scale2(self, y: Self::V, n: Self::V) -> Self::V {
        // SAFETY: the token proves that the instructions exist.
        unsafe { _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(y), _mm512_slli_epi32::<23>(_mm512_castps_si512(n)))) }
    }

    #[inline(always)]
    fn read_or(self, from: &[f32], fill: f32) -> Self::V {
        // SAFETY: no lane past the slice is touched; the token proves that the instruction exists.
        unsafe { _mm512_mask_loadu_ps(self.splat(fill), first(from.len()), from.as_ptr()) }
    }

    #[inline(always)]
    fn write(self, to: &mut [f32], v: Self::V) {
        // SAFETY: no lane past the slice is touched; the token proves that the instruction exists.
        unsafe { _mm512_mask_storeu_ps(to.as_mut_ptr(), first(to.len()), v) }
    }

    #[inline(always)]
    fn keep(self, v: Self::V, count: usize) -> Self::V {
        // SAFETY: the token proves that the instruction exists.
        unsafe { _mm512_maskz_mov_ps(first(count), v) }
    }

    #[inline(always)]
    unsafe fn load_columns(self, rows: [*const f32; LANES], lanes: usize) -> [Self::V; LANES] {
        let mut columns = [self.splat(0.0); LANES];
        for quarter in 0..4 {
            let mut parts = [self.splat(0.0); 4];
            for (j, part) in parts.iter_mut().enumerate() {
                // SAFETY: the caller grants 16 floats of each row; the token proves that the instructions exist.
                *part = unsafe {
                    // Element g is row 4g + j: inserted from memory, which needs no unit that shuffles.
                    let x = _mm512_castps128_ps512(_mm_loadu_ps(rows[j].add(4 * quarter)));
                    let x = _mm512_insertf32x4::<1>(x, _mm_loadu_ps(rows[4 + j].add(4 * quarter)));
                    let x = _mm512_insertf32x4::<2>(x, _mm_loadu_ps(rows[8 + j].add(4 * quarter)));
                    if 12 + j < lanes { _mm512_insertf32x4::<3>(x, _mm_loadu_ps(rows[12 + j].add(4 * quarter))) } else { x }
                };
            }
            let [a, b, c, d] = parts;
            // SAFETY: the token proves that the instructions exist.
            unsafe {
                let (low, high) = (_mm512_castps_pd(_mm512_unpacklo_ps(a, b)), _mm512_castps_pd(_mm512_unpackhi_ps(a, b)));
                let (low2, high2) = (_mm512_castps_pd(_mm512_unpacklo_ps(c, d)), _mm512_castps_pd(_mm512_unpackhi_ps(c, d)));
                columns[4 * quarter] = _mm512_castpd_ps(_mm512_unpacklo_pd(low, low2));
                columns[4 * quarter + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(low, low2));
                columns[4 * quarter + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(high, high2));
                columns[4 * quarter + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(high, high2));
            }
        }
        columns
    }
}
