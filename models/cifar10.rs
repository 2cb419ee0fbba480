//! CIFAR-10.

use crate::duodiff;

duodiff! {
    /// U-ViT-S/2 and its three-block sibling on CIFAR-10 (DuoDiff).
    pub pair Cifar10 {
        arch: crate::uvit(dim = 512, heads = 8, patch = 2),
        image: [3, 32, 32],
        process: linear_betas(1e-4, 2e-2, 1000),
        time: t / 1000,
        predicts: epsilon,
        backbones: { shallow: depth = 3, deep: depth = 13 },
        phases: { shallow: 999..=700, deep: 699..=0 },
    }
}
