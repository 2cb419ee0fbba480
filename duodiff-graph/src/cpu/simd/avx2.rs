//! The sixteen lanes as two AVX2 registers.

use std::arch::x86_64::*;

use super::{Kernel, Simd};

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
    const GROUP: usize = 12;

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
}
