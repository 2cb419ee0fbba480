//! ImageNet at 64 x 64.

use crate::duodiff;

duodiff! {
    /// U-ViT-M/4 and its three-block sibling on ImageNet 64 x 64 (DuoDiff); no null label, so no guidance.
    pub pair Imagenet64 {
        arch: crate::uvit(dim = 768, heads = 12, patch = 4),
        image: [3, 64, 64],
        process: linear_betas(1e-4, 2e-2, 1000),
        time: t,
        predicts: epsilon,
        classes: 1000,
        backbones: { shallow: depth = 3, deep: depth = 17 },
        phases: { shallow: 999..=700, deep: 699..=0 },
    }
}
