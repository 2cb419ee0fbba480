//! CelebA.

use crate::duodiff;

duodiff! {
    /// U-ViT-S/4 and its three-block sibling on CelebA 64 x 64 (DuoDiff).
    pub pair Celeba64 {
        arch: crate::uvit(dim = 512, heads = 8, patch = 4),
        image: [3, 64, 64],
        process: linear_betas(1e-4, 2e-2, 1000),
        time: t / 1000,
        predicts: epsilon,
        backbones: { shallow: depth = 3, deep: depth = 13 },
        phases: { shallow: 999..=700, deep: 699..=0 },
    }
}
