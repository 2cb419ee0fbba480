//! The published U-ViT written by hand with the builders, once for every set of sizes.

/// Declares `mod NAME` with `build(depth)` and the sizes that tests need.
///
/// `tokens(b, time)`: the tokens before the patches; `embed(b, time)`: what is done to the sinusoid; `finish(b, image)`: what ends the network.
macro_rules! uvit {
    (
        $name:ident { image: [$c:literal, $side:literal], patch: $p:literal, dim: $d:literal, heads: $h:literal, extras: $extras:literal, qkv: $qkv:ident }
        tokens($tb:ident, $time:ident) $tokens:block
        embed($eb:ident, $sinusoid:ident) $embed:block
        finish($fb:ident, $image:ident) $finish:block
    ) => {
        pub mod $name {
            use duodiff_graph::build::*;

            #[allow(dead_code)]
            pub const DIM: usize = $d;
            const C: usize = $c;
            const S: usize = $side;
            const P: usize = $p;
            const D: usize = $d;
            const H: usize = $h;
            const K: usize = D / H;
            const D2: usize = 2 * D;
            const D3: usize = 3 * D;
            const D4: usize = 4 * D;
            const E: usize = $extras;
            const SIDE: usize = S / P;
            const N: usize = SIDE * SIDE;
            const L: usize = E + N;
            const PATCH: usize = C * P * P;
            const EPS: f32 = 1e-5;
            #[allow(dead_code)]
            const S2: usize = S + 2;
            #[allow(dead_code)]
            const SS: usize = S * S;
            #[allow(dead_code)]
            const C9: usize = 9 * C;

            fn attend(b: &mut Builder, x: &Tokens<L, D>, key: &str) -> Tokens<L, D> {
                let x = norm_affine(b, x, &format!("{key}.norm1"), EPS);
                let qkv = linear::<L, D, D3>(b, &x, &format!("{key}.attn.qkv"), Bias::$qkv);
                let (q, k, v) = (columns::<L, D3, D>(&qkv, 0), columns::<L, D3, D>(&qkv, D), columns::<L, D3, D>(&qkv, D2));
                linear::<L, D, D>(b, &attention::<L, L, D, H, K>(&q, &k, &v), &format!("{key}.attn.proj"), Bias::With)
            }

            fn mlp(b: &mut Builder, x: &Tokens<L, D>, key: &str) -> Tokens<L, D> {
                let x = norm_affine(b, x, &format!("{key}.norm2"), EPS);
                let x = gelu(&linear::<L, D, D4>(b, &x, &format!("{key}.mlp.fc1"), Bias::With));
                linear::<L, D4, D>(b, &x, &format!("{key}.mlp.fc2"), Bias::With)
            }

            fn block(b: &mut Builder, x: &Tokens<L, D>, skip: Option<Tokens<L, D>>, key: &str) -> Tokens<L, D> {
                let x = match skip {
                    Some(skip) => {
                        let joined = join_features::<L, D, D, D2>(x, &skip);
                        linear::<L, D2, D>(b, &joined, &format!("{key}.skip_linear"), Bias::With)
                    }
                    None => x.clone(),
                };
                let x = add(&x, &attend(b, &x, key));
                add(&x, &mlp(b, &x, key))
            }

            fn embedded($eb: &mut Builder) -> Tokens<1, D> {
                let $sinusoid = $eb.sinusoid::<D>();
                $embed
            }

            fn before($tb: &mut Builder) -> Tokens<E, D> {
                let $time = embedded($tb);
                $tokens
            }

            #[allow(unused_variables)]
            fn after($fb: &mut Builder, $image: Image<C, S, S>) -> Image<C, S, S> {
                $finish
            }

            pub fn build(depth: usize) -> Built {
                let mut b = Builder::new("test");
                let before = before(&mut b);
                let image = b.image::<C, S, S>();
                let patches = patch_embed::<C, S, S, P, SIDE, SIDE, N, PATCH, D>(&mut b, &image, "patch_embed.proj");
                let positions = b.param::<L, D>("pos_embed", &[1, L, D]);
                let mut x = add(&join_tokens::<E, N, L, D>(&before, &patches), &positions);
                let mut skips = Vec::new();
                for i in 0..depth / 2 {
                    x = block(&mut b, &x, None, &format!("in_blocks.{i}"));
                    skips.push(x.clone());
                }
                x = block(&mut b, &x, None, "mid_block");
                for i in 0..depth / 2 {
                    x = block(&mut b, &x, skips.pop(), &format!("out_blocks.{i}"));
                }
                let x = norm_affine(&mut b, &x, "norm", EPS);
                let x = rows::<L, PATCH, N>(&linear::<L, D, PATCH>(&mut b, &x, "decoder_pred", Bias::With), E);
                let image = after(&mut b, unpatchify::<N, PATCH, C, S, S, P, SIDE, SIDE>(&x));
                b.finish(&image)
            }
        }
    };
}

uvit! {
    uncond { image: [3, 8], patch: 2, dim: 32, heads: 4, extras: 1, qkv: Without }
    tokens(b, time) { time }
    embed(b, sinusoid) { sinusoid }
    finish(b, image) { conv3x3::<C, S, S, S2, S2, SS, C9, C>(b, &image, "final_layer") }
}

uvit! {
    cond { image: [4, 16], patch: 4, dim: 64, heads: 4, extras: 2, qkv: Without }
    tokens(b, time) { join_tokens::<1, 1, 2, D>(&embedding::<11, D>(b, "label_emb"), &time) }
    embed(b, sinusoid) { sinusoid }
    finish(b, image) { conv3x3::<C, S, S, S2, S2, SS, C9, C>(b, &image, "final_layer") }
}

uvit! {
    mlp_time { image: [1, 8], patch: 2, dim: 48, heads: 3, extras: 1, qkv: With }
    tokens(b, time) { time }
    embed(b, sinusoid) {
        let hidden = silu(&linear::<1, D, D4>(b, &sinusoid, "time_embed.0", Bias::With));
        linear::<1, D4, D>(b, &hidden, "time_embed.2", Bias::With)
    }
    finish(b, image) { image }
}

uvit! {
    cifar10 { image: [3, 32], patch: 2, dim: 512, heads: 8, extras: 1, qkv: Without }
    tokens(b, time) { time }
    embed(b, sinusoid) { sinusoid }
    finish(b, image) { conv3x3::<C, S, S, S2, S2, SS, C9, C>(b, &image, "final_layer") }
}
