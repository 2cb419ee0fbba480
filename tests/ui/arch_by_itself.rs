use duodiff::duodiff;

duodiff! {
    pub arch misspelt(image, t; dim) {
        let x = patchify(image, 2, dims) @ "patch_embed";
        unpatchify(liner(x, 4 * channels) @ "head", 2)
    }
}

duodiff! {
    // Silent: its arch has been refused above.
    pub pair Innocent {
        arch: misspelt(dim = 8),
        image: [1, 8, 8],
        process: cosine_betas(10),
        time: t,
        predicts: x0,
        backbones: { a: , b: },
        phases: { a: 9..=5, b: 4..=0 },
    }
}

fn main() {}
