//! U-ViT as a program written by hand, in the form in which it is raised.

use crate::program::{Activation, JoinAxis, Net, Origin, ValueId};

use super::sketch::Sketch;

/// Sizes and options of a U-ViT.
#[derive(Clone, Copy)]
pub struct Uvit {
    pub image: [usize; 3],
    pub patch: usize,
    pub dim: usize,
    pub heads: usize,
    pub depth: usize,
    pub classes: Option<usize>,
    pub mlp_time: bool,
    pub qkv_bias: bool,
    pub conv: bool,
}

impl Uvit {
    /// An unconditional net without options.
    pub const fn new(image: [usize; 3], patch: usize, dim: usize, heads: usize, depth: usize) -> Self {
        Self { image, patch, dim, heads, depth, classes: None, mlp_time: false, qkv_bias: false, conv: true }
    }

    pub fn net(self, name: &str) -> Net {
        let mut s = Sketch::new(name);
        let image = s.value(&self.image, Origin::Image);
        let mut x = self.tokens(&mut s, image);
        let mut skips = Vec::new();
        for i in 0..self.depth / 2 {
            x = self.block(&mut s, x, None, &format!("in_blocks.{i}"));
            skips.push(x);
        }
        x = self.block(&mut s, x, None, "mid_block");
        for i in 0..self.depth / 2 {
            x = self.block(&mut s, x, skips.pop(), &format!("out_blocks.{i}"));
        }
        let [channels, height, width] = self.image;
        x = s.norm(x, "norm");
        x = s.linear(x, "decoder_pred", self.patch * self.patch * channels, true);
        let extras = if self.classes.is_some() { 2 } else { 1 };
        let patches = height / self.patch * (width / self.patch);
        x = s.rows(x, extras..extras + patches);
        x = s.unpatchify(x, self.patch, &self.image);
        if self.conv {
            x = s.conv3x3(x, "final_layer", channels);
        }
        s.finish(&[x])
    }

    /// `[label?, time, patches]` plus positions.
    fn tokens(self, s: &mut Sketch, image: ValueId) -> ValueId {
        let mut time = s.value(&[1, self.dim], Origin::Sinusoid);
        if self.mlp_time {
            time = s.linear(time, "time_embed.0", 4 * self.dim, true);
            time = s.activate(time, Activation::Silu);
            time = s.linear(time, "time_embed.2", self.dim, true);
        }
        let mut parts = vec![time];
        if let Some(classes) = self.classes {
            let label = s.value(&[], Origin::Label);
            parts.insert(0, s.embedding(label, "label_emb", classes, self.dim));
        }
        let patches = s.patchify(image, self.patch);
        parts.push(s.linear(patches, "patch_embed.proj", self.dim, true));
        let mut x = parts[0];
        for part in &parts[1..] {
            x = s.join(JoinAxis::Rows, &[x, *part]);
        }
        let rows = s.whole(x).rows.len();
        let positions = s.param("pos_embed", &[rows, self.dim]);
        s.add(x, positions)
    }

    fn block(self, s: &mut Sketch, mut x: ValueId, skip: Option<ValueId>, key: &str) -> ValueId {
        if let Some(skip) = skip {
            x = s.join(JoinAxis::Columns, &[x, skip]);
            x = s.linear(x, &format!("{key}.skip_linear"), self.dim, true);
        }
        let a = s.norm(x, &format!("{key}.norm1"));
        let a = s.linear(a, &format!("{key}.attn.qkv"), 3 * self.dim, self.qkv_bias);
        let [q, k, v] = [0, 1, 2].map(|i| s.columns(a, i * self.dim..(i + 1) * self.dim));
        let a = s.attention(q, k, v, self.heads);
        let a = s.linear(a, &format!("{key}.attn.proj"), self.dim, true);
        let x = s.add(x, a);
        let m = s.norm(x, &format!("{key}.norm2"));
        let m = s.linear(m, &format!("{key}.mlp.fc1"), 4 * self.dim, true);
        let m = s.activate(m, Activation::Gelu);
        let m = s.linear(m, &format!("{key}.mlp.fc2"), self.dim, true);
        s.add(x, m)
    }
}
