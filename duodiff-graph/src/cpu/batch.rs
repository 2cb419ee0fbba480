//! How many images to evaluate together where nobody says: the fewest that come within 5 % of the best speed.

use super::params;
use crate::plan::Plan;

/// Operations that are done in the time that one byte of weights takes from memory. Cores and memory of a machine differ by the same
/// factor often enough: the benchmarks' `step/PAIR/deep/batch N` shows whether it holds.
const FLOPS_PER_BYTE: u64 = 26;

/// Weights of so many bytes stay in the caches.
const CACHED: u64 = 32 << 20;

/// Fewer do not fill the threads between two launches.
const LEAST: u64 = 4;

/// More do not pay: an interruption loses a batch.
const MOST: u64 = 32;

/// The fewest images per batch that come within 5 % of the best speed, by the plan's sizes alone: a batch reads all weights once,
/// which must not take more than a twentieth of what its images are computed in.
///
/// No bit of any image depends on it.
pub fn efficient_batch(plan: &Plan) -> usize {
    let largest = plan.backbones.iter().max_by_key(|backbone| backbone.cost.flops);
    largest.map_or(1, |backbone| images(params::bytes(backbone), backbone.cost.flops)) as usize
}

/// For weights of so many bytes, and so many operations per image.
fn images(weights: u64, flops: u64) -> u64 {
    if weights <= CACHED {
        return LEAST;
    }
    (20 * FLOPS_PER_BYTE * weights).div_ceil(flops.max(1)).clamp(LEAST, MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The deep backbones of the ready pairs, and two nets of few tokens: what was measured to be within 5 % of the best.
    #[test]
    fn follows_the_measured_choices() {
        let cases = [
            ("Mnist", 1_923_482, 202_000_000, 4),
            ("Cifar10", 44_255_328, 24_400_000_000, 4),
            ("Imagenet64", 130_940_292, 70_470_000_000, 4),
            ("Imagenet256", 286_763_172, 152_910_000_000, 4),
            ("13 blocks of 768, 65 tokens", 99_320_964, 13_060_162_560, 16),
            ("13 blocks of 768, 17 tokens", 99_505_428, 3_390_514_176, 32),
        ];
        for (name, params, flops, wanted) in cases {
            assert_eq!(images(4 * params, flops), wanted, "{name}");
        }
    }
}
