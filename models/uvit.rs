//! U-ViT, written once: every option of the published checkpoints is a parameter.

use crate::duodiff;

duodiff! {
    /// U-ViT (Bao et al. 2023): a transformer over the tokens `[label, time, patches]`, with long skips from its first half
    /// to its second.
    ///
    /// `depth` blocks are `depth / 2` before and after a middle one. Keys and shapes are those of the published checkpoints.
    pub arch uvit(image, t, label?; dim, heads, patch, depth, mlp = 4, qkv_bias = false, mlp_time = false, conv = true) {
        fn block(x, skip?) {
            let x = if skip { linear(join_features(x, skip), dim) @ "skip_linear" } else { x };
            let a = attention(linear(norm(x) @ "norm1", 3 * dim, bias = qkv_bias) @ "attn.qkv", heads);
            let x = x + linear(a, dim) @ "attn.proj";
            x + linear(gelu(linear(norm(x) @ "norm2", mlp * dim) @ "mlp.fc1"), dim) @ "mlp.fc2"
        }

        let time = sinusoid(t, dim);
        if mlp_time {
            time = linear(silu(linear(time, 4 * dim) @ "time_embed.0"), dim) @ "time_embed.2";
        }
        let extras = if label { join_tokens(embedding(label, dim) @ "label_emb", time) } else { time };
        let x = join_tokens(extras, patchify(image, patch, dim) @ "patch_embed.proj");
        let x = x + param([1, rows(x), dim]) @ "pos_embed";

        for i in 0..depth / 2 {
            x = block(x) @ "in_blocks.{i}";
            push(x);
        }
        x = block(x) @ "mid_block";
        for i in 0..depth / 2 {
            x = block(x, pop()) @ "out_blocks.{i}";
        }

        let x = linear(norm(x) @ "norm", patch * patch * channels) @ "decoder_pred";
        let y = unpatchify(patches(x), patch);
        if conv { conv3x3(y) @ "final_layer" } else { y }
    }
}
