//! The sixteen lanes as two AVX2 registers.

use std::arch::x86_64::*;

use super::{Kernel, LANES, Simd};

/// Proof that the machine has AVX2 and FMA: made in [`run`] only.
#[derive(Clone, Copy)]
pub(super) struct Avx2(());

/// Runs a kernel compiled for AVX2 and FMA.
///
/// # Safety
/// The machine has AVX2 and FMA.
#[inline(never)]
#[target_feature(enable = "avx2,fma")]
pub(super) unsafe fn run(kernel: impl Kernel) {
    kernel.run(Avx2(()));
}

macro_rules! lanewise {
    ($($name:ident($($arg:ident),+) = $intrinsic:ident;)+) => {$(
        #[inline(always)]
        fn $name(self, $($arg: Self::V),+) -> Self::V {
            // SAFETY: the token proves that the instruction exists.
            unsafe { ($intrinsic($($arg.0),+), $intrinsic($($arg.1),+)) }
        }
    )+};
}

impl Simd for Avx2 {
    type V = (__m256, __m256);
    const ROWS: usize = 6;
    const PANELS: usize = 1;

    #[inline(always)]
    fn call(self, kernel: impl Kernel) {
        // SAFETY: the token proves that the machine has the features.
        unsafe { run(kernel) }
    }

    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> Self::V {
        // SAFETY: the caller grants 16 floats; the token proves that the instruction exists.
        unsafe { (_mm256_loadu_ps(from), _mm256_loadu_ps(from.add(8))) }
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
        unsafe {
            _mm256_storeu_ps(to, v.0);
            _mm256_storeu_ps(to.add(8), v.1);
        }
    }

    #[inline(always)]
    unsafe fn store_first(self, to: *mut f32, v: Self::V, lanes: usize) {
        // SAFETY: the caller grants 16 floats; the token proves that the instruction exists.
        unsafe {
            _mm256_storeu_ps(to, v.0);
            if lanes > 8 {
                _mm256_storeu_ps(to.add(8), v.1);
            }
        }
    }

    #[inline(always)]
    fn splat(self, x: f32) -> Self::V {
        // SAFETY: the token proves that the instruction exists.
        let x = unsafe { _mm256_set1_ps(x) };
        (x, x)
    }

    lanewise! {
        add(a, b) = _mm256_add_ps;
        sub(a, b) = _mm256_sub_ps;
        mul(a, b) = _mm256_mul_ps;
        div(a, b) = _mm256_div_ps;
        max(a, b) = _mm256_max_ps;
        min(a, b) = _mm256_min_ps;
        fma(a, b, c) = _mm256_fmadd_ps;
    }

    #[inline(always)]
    fn scale2(self, y: Self::V, n: Self::V) -> Self::V {
        let half = |y, n| {
            // SAFETY: the token proves that the instructions exist.
            unsafe { _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(y), _mm256_slli_epi32::<23>(_mm256_castps_si256(n)))) }
        };
        (half(y.0, n.0), half(y.1, n.1))
    }

    #[inline(always)]
    unsafe fn load_columns(self, rows: [*const f32; LANES], lanes: usize) -> [Self::V; LANES] {
        let mut columns = [self.splat(0.0); LANES];
        for half in 0..2 {
            // SAFETY: the caller grants 16 floats of each row; the token proves that the instructions exist.
            let low = unsafe { eight(&rows, 0, 8 * half) };
            // SAFETY: as above.
            let high = if lanes > 8 { unsafe { eight(&rows, 8, 8 * half) } } else { low };
            for (column, halves) in columns[8 * half..].iter_mut().zip(low.into_iter().zip(high)) {
                *column = halves;
            }
        }
        columns
    }
}

/// Eight columns, from `column` on, of eight rows, from `first` on.
///
/// # Safety
/// These floats can be read, and the machine has AVX2.
#[inline(always)]
unsafe fn eight(rows: &[*const f32; LANES], first: usize, column: usize) -> [__m256; 8] {
    // SAFETY: granted by the caller.
    unsafe {
        let ([a, b, c, d], [e, f, g, h]) = (four(rows, first, column), four(rows, first + 4, column));
        [
            _mm256_permute2f128_ps::<0x20>(a, e),
            _mm256_permute2f128_ps::<0x20>(b, f),
            _mm256_permute2f128_ps::<0x20>(c, g),
            _mm256_permute2f128_ps::<0x20>(d, h),
            _mm256_permute2f128_ps::<0x31>(a, e),
            _mm256_permute2f128_ps::<0x31>(b, f),
            _mm256_permute2f128_ps::<0x31>(c, g),
            _mm256_permute2f128_ps::<0x31>(d, h),
        ]
    }
}

/// Of four rows, columns 0 and 4, 1 and 5, 2 and 6, 3 and 7, each in a half.
///
/// # Safety
/// As [`eight`].
#[inline(always)]
unsafe fn four(rows: &[*const f32; LANES], first: usize, column: usize) -> [__m256; 4] {
    // SAFETY: granted by the caller.
    unsafe {
        let [a, b] = [_mm256_loadu_ps(rows[first].add(column)), _mm256_loadu_ps(rows[first + 1].add(column))];
        let [c, d] = [_mm256_loadu_ps(rows[first + 2].add(column)), _mm256_loadu_ps(rows[first + 3].add(column))];
        let (low, high) = (_mm256_castps_pd(_mm256_unpacklo_ps(a, b)), _mm256_castps_pd(_mm256_unpackhi_ps(a, b)));
        let (low2, high2) = (_mm256_castps_pd(_mm256_unpacklo_ps(c, d)), _mm256_castps_pd(_mm256_unpackhi_ps(c, d)));
        [
            _mm256_castpd_ps(_mm256_unpacklo_pd(low, low2)),
            _mm256_castpd_ps(_mm256_unpackhi_pd(low, low2)),
            _mm256_castpd_ps(_mm256_unpacklo_pd(high, high2)),
            _mm256_castpd_ps(_mm256_unpackhi_pd(high, high2)),
        ]
    }
}
