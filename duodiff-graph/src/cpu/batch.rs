//! How many images make a batch where nobody says, and how many of a batch are evaluated together.

use super::params;
use crate::plan::Plan;
use crate::program::Origin;

/// Operations that are done in the time that one byte of weights takes from memory. Cores and memory of a machine differ by the same
/// factor often enough: the benchmarks' `step/PAIR/deep/batch N` shows whether it holds.
const FLOPS_PER_BYTE: u64 = 26;

/// Weights of so many bytes stay in the caches.
const CACHED: u64 = 32 << 20;

/// Fewer do not fill the threads between two launches.
const LEAST: u64 = 4;

/// Tokens that are worth evaluating together. On two threads and AVX-512 half and twice as many took 1–8 % more time per image of Mnist,
/// Cifar10 and Imagenet64 (`cargo bench step`, batch 4 and 16).
const ROWS: usize = 512;

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

/// The most of `batch` images that are evaluated together: with [`ROWS`] tokens a launch keeps its threads busy, and what an operator leaves
/// for the next is still in the caches; with more of them it no longer is.
pub(super) fn most_together(plan: &Plan, batch: usize) -> usize {
    together(plan).min(batch)
}

/// How many of `images` are evaluated together: slices of like size, and as few as [`most_together`] allows.
pub(super) fn slice(plan: &Plan, images: usize) -> usize {
    let slices = images.div_ceil(together(plan));
    images.div_ceil(slices.max(1)).max(1)
}

fn together(plan: &Plan) -> usize {
    let values = plan.backbones.iter().flat_map(|backbone| &backbone.net.body.values);
    let tokens = values.filter(|value| value.origin == Origin::Op).filter_map(|value| match value.shape[..] {
        [tokens, _] => Some(tokens),
        _ => None,
    });
    ROWS.div_ceil(tokens.max().unwrap_or(1).max(1))
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
