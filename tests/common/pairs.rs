//! The three configurations of the golden cases, one of awkward sizes, one as small as can be: nothing of the architecture is written again.

use duodiff::duodiff;

duodiff! {
    /// No labels, the sinusoid as it is, a final convolution.
    pub pair Uncond {
        arch: duodiff::uvit(dim = 32, heads = 4, patch = 2),
        image: [3, 8, 8],
        process: linear_betas(1e-4, 2e-2, 1000),
        time: t / 1000,
        predicts: epsilon,
        backbones: { shallow: depth = 3, deep: depth = 5 },
        phases: { shallow: 999..=700, deep: 699..=0 },
    }
}

duodiff! {
    /// Ten classes and a null label, guided; the network is fed the timestep itself.
    pub pair Cond {
        arch: duodiff::uvit(dim = 64, heads = 4, patch = 4),
        image: [4, 16, 16],
        process: linear_betas(1e-4, 2e-2, 1000),
        time: t,
        predicts: epsilon,
        classes: 11,
        null_label: 10,
        guidance: 0.4,
        backbones: { shallow: depth = 3, deep: depth = 7 },
        phases: { shallow: 999..=700, deep: 699..=0 },
    }
}

duodiff! {
    /// A network between sinusoid and tokens, a bias in qkv, a single block, no final convolution.
    pub pair MlpTime {
        arch: duodiff::uvit(dim = 48, heads = 3, patch = 2, mlp_time = true, qkv_bias = true, conv = false),
        image: [1, 8, 8],
        process: linear_betas(1e-4, 2e-2, 1000),
        time: t / 1000,
        predicts: epsilon,
        backbones: { shallow: depth = 1, deep: depth = 5 },
        phases: { shallow: 999..=700, deep: 699..=0 },
    }
}

duodiff! {
    /// Sizes that no vector and no tensor core divides.
    pub pair Odd {
        arch: duodiff::uvit(dim = 36, heads = 3, patch = 2, mlp = 3),
        image: [3, 6, 6],
        process: linear_betas(1e-4, 2e-2, 1000),
        time: t / 1000,
        predicts: epsilon,
        backbones: { shallow: depth = 1, deep: depth = 3 },
        phases: { shallow: 999..=700, deep: 699..=0 },
    }
}

duodiff! {
    /// Everything that a trajectory can need, and next to no work.
    pub pair Tiny {
        arch: duodiff::uvit(dim = 16, heads = 2, patch = 4, mlp_time = true),
        image: [1, 8, 8],
        process: linear_betas(1e-4, 2e-2, 1000),
        time: t / 1000,
        predicts: epsilon,
        classes: 4,
        null_label: 3,
        guidance: 0.4,
        backbones: { shallow: depth = 1, deep: depth = 3 },
        phases: { shallow: 999..=700, deep: 699..=0 },
    }
}
