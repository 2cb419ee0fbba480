//! DiT with adaLN-zero (Peebles and Xie 2023), learned variance left out: the language has all that it takes.

use duodiff::duodiff;

duodiff! {
    /// A transformer whose norms are shifted, scaled and gated by time and class.
    pub arch dit(image, t, label; dim, heads, patch, depth, mlp = 4) {
        fn modulate(x, shift, scale) {
            norm(x, eps = 1e-6, affine = false) * broadcast(1 + scale) + broadcast(shift)
        }
        fn block(x, c) {
            let (shift_a, scale_a, gate_a, shift_m, scale_m, gate_m) = split(linear(silu(c), 6 * dim) @ "adaLN_modulation.1", 6);
            let qkv = linear(modulate(x, shift_a, scale_a), 3 * dim) @ "attn.qkv";
            let x = x + broadcast(gate_a) * linear(attention(qkv, heads), dim) @ "attn.proj";
            let hidden = linear(modulate(x, shift_m, scale_m), mlp * dim) @ "mlp.fc1";
            x + broadcast(gate_m) * linear(gelu_tanh(hidden), dim) @ "mlp.fc2"
        }
        let time = linear(silu(linear(sinusoid(t, 256), dim) @ "t_embedder.mlp.0"), dim) @ "t_embedder.mlp.2";
        let c = time + embedding(label, dim) @ "y_embedder.embedding_table";
        let x = patchify(image, patch, dim) @ "x_embedder.proj";
        x = x + param([1, rows(x), dim]) @ "pos_embed";
        for i in 0..depth {
            x = block(x, c) @ "blocks.{i}";
        }
        let (shift, scale) = split(linear(silu(c), 2 * dim) @ "final_layer.adaLN_modulation.1", 2);
        unpatchify(linear(modulate(x, shift, scale), patch * patch * channels) @ "final_layer.linear", patch)
    }
}

duodiff! {
    /// Latents of ImageNet; a narrow backbone before a wide one (T-Stitch).
    pub pair Stitched {
        arch: dit(patch = 2, depth = 2),
        image: [4, 8, 8],
        process: linear_betas(1e-4, 2e-2, 1000),
        time: t,
        predicts: epsilon,
        classes: 1001,
        null_label: 1000,
        guidance: 0.5,
        backbones: {
            small: dim = 24, heads = 2,
            large: dim = 48, heads = 3,
            stitched: dim = 48, heads = 3, process = cosine_betas(1000), time = 999 * t / 1000 + 1, match = snr,
        },
        phases: { small: 999..=500, stitched: 499..=200, large: 199..=0 },
        history: restart,
    }
}
