//! Handwritten digits: the embedded pair.

use crate::duodiff;

duodiff! {
    /// U-ViT on MNIST with 3 and 9 blocks; small enough to carry its weights.
    pub pair Mnist {
        arch: crate::uvit(dim = 128, heads = 4, patch = 4),
        image: [1, 28, 28],
        process: linear_betas(1e-4, 2e-2, 1000),
        time: t,
        predicts: v,
        backbones: { shallow: depth = 3, deep: depth = 9 },
        phases: { shallow: 999..=700, deep: 699..=0 },
    }
}
