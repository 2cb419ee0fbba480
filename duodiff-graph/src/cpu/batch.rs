//! How many images are evaluated together.

use crate::plan::Plan;
use crate::program::Origin;

/// Tokens that are worth evaluating together. With fewer the weights are read too often and threads run out of work between two launches, with
/// more what one operator leaves for the next is no longer in the caches. With two threads and AVX-512, steps of Mnist, Cifar10 and Imagenet64
/// in slices of half or twice as many tokens took as much time per image or up to 7 % more.
const TOKENS: usize = 512;

/// More images do not pay however few their tokens: an interruption loses a batch.
const MOST: usize = 32;

/// Images per batch for the best speed, by the plan's sizes alone. A larger batch is evaluated in slices of so many images and is no faster.
///
/// No bit of any image depends on it.
pub fn efficient_batch(plan: &Plan) -> usize {
    let values = plan.backbones.iter().flat_map(|backbone| &backbone.net.body.values);
    let tokens = values.filter(|value| value.origin == Origin::Op).filter_map(|value| match value.shape[..] {
        [tokens, _] => Some(tokens),
        _ => None,
    });
    images(tokens.max().unwrap_or(1))
}

/// For images of so many tokens.
fn images(tokens: usize) -> usize {
    TOKENS.div_ceil(tokens.max(1)).min(MOST)
}

/// How many of `count` images are evaluated together: slices of like size, and as few as [`efficient_batch`] allows.
pub(super) fn slice(plan: &Plan, count: usize) -> usize {
    let slices = count.div_ceil(efficient_batch(plan));
    count.div_ceil(slices.max(1)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_tokens() {
        let cases = [
            ("Mnist", 50, 11),
            ("Cifar10", 257, 2),
            ("patches of 4", 65, 8),
            ("patches of 8", 17, 31),
            ("one token", 1, 32),
            ("many", 1025, 1),
        ];
        for (name, tokens, wanted) in cases {
            assert_eq!(images(tokens), wanted, "{name}");
        }
    }
}
