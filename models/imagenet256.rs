//! Latents of ImageNet at 256 x 256.

use crate::duodiff;

duodiff! {
    /// U-ViT-L/2 and its three-block sibling on latents of ImageNet 256 x 256 (DuoDiff): AutoencoderKL, scale 0.18215.
    pub pair Imagenet256 {
        arch: crate::uvit(dim = 1024, heads = 16, patch = 2),
        image: [4, 32, 32],
        process: linear_betas(1e-4, 2e-2, 1000),
        time: t,
        predicts: epsilon,
        classes: 1001,
        null_label: 1000,
        backbones: { shallow: depth = 3, deep: depth = 21 },
        phases: { shallow: 999..=700, deep: 699..=0 },
    }
}
