//! A block and a pair of one's own, seen from another crate: nothing but `duodiff::…` is used.
//!
//! The block computes attention and MLP side by side from one norm (as in GPT-J and ViT-22B), which takes fewer launches.

use duodiff::{Pair, duodiff};

duodiff! {
    /// U-ViT's frame around parallel blocks.
    pub arch parallel_uvit(image, t; dim, heads, patch, depth, mlp = 4) {
        fn block(x) {
            let h = norm(x) @ "norm";
            let (q, k, v) = split(linear(h, 3 * dim, bias = false) @ "qkv", 3);
            let a = linear(attention(q, k, v, heads), dim) @ "proj";
            let m = linear(gelu(linear(h, mlp * dim) @ "fc1"), dim) @ "fc2";
            x + a + m
        }
        let x = join_tokens(sinusoid(t, dim), patchify(image, patch, dim) @ "patch_embed");
        x = x + param([1, rows(x), dim]) @ "pos_embed";
        for i in 0..depth / 2 {
            x = block(x) @ "in_blocks.{i}";
            push(x);
        }
        x = block(x) @ "mid_block";
        for i in 0..depth / 2 {
            x = linear(join_features(x, pop()), dim) @ "skips.{i}";
            x = block(x) @ "out_blocks.{i}";
        }
        let y = linear(norm(x) @ "norm", patch * patch * channels) @ "head";
        unpatchify(patches(y), patch)
    }
}

duodiff! {
    /// Three backbones: a wide one for the noise, a deep one for the details, a small one between.
    pub pair Digits {
        arch: parallel_uvit(patch = 4),
        image: [1, 28, 28],
        process: cosine_betas(1000),
        time: t,
        predicts: v,
        backbones: {
            wide: dim = 256, heads = 8, depth = 1,
            small: dim = 64, heads = 2, depth = 3,
            deep: dim = 128, heads = 4, depth = 9,
        },
        phases: { wide: 999..=800, small: 799..=300, deep: 299..=0 },
        history: restart,
    }
}

fn main() {
    let spec = Digits.spec();
    println!("{}: {}", spec.name, spec.doc);
    for phase in &spec.phases {
        let built = Digits.build(phase.backbone);
        println!("  t = {}..={}: {}, {} parameters and inputs", phase.first, phase.last, built.name, built.loads.len());
    }
}
