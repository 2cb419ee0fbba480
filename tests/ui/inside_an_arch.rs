use duodiff::duodiff;

mod arches {
    use duodiff::duodiff;

    duodiff! {
        pub arch narrow(image, t; dim, depth) {
            let x = join_tokens(sinusoid(t, dim), patchify(image, 2, 2 * dim) @ "patch_embed");
            unpatchify(patches(linear(x, 4 * channels * depth) @ "head"), 2)
        }
    }
}

duodiff! {
    pub pair Wrong {
        arch: arches::narrow(dim = 8),
        image: [1, 8, 8],
        process: cosine_betas(10),
        time: t,
        predicts: x0,
        backbones: { shallow: depth = 1, deep: depth = 1 },
        phases: { shallow: 9..=5, deep: 4..=0 },
    }
}

fn main() {}
