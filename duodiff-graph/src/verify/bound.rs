//! How far an executor may be from the reference.

use crate::launch::Precision;
use crate::target::Target;

/// The largest error of a tensor, as a share of its largest value, that rounding explains.
///
/// float32 adds up in chains of fused multiply-adds, on the CPU in the order that its promise of 2e-5 was made for, on a GPU by kernels of
/// several kinds. bfloat16 keeps 8 bits: half a unit is 2e-3 of a value, and the bound leaves room for ten of these on the way through a net.
/// tf32 keeps 11 bits, so an eighth of that, but rounds both factors anew in every product: a quarter.
pub fn bound(target: Target, precision: Precision) -> f64 {
    match (precision, target) {
        (Precision::F32, Target::Cpu) => 2e-5,
        (Precision::F32, Target::Gpu(_)) => 1e-4,
        (Precision::Tf32, _) => 5e-3,
        (Precision::Bf16, _) => 2e-2,
    }
}
