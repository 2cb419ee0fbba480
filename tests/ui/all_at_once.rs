use duodiff::{Pair, duodiff};

duodiff! {
    pub pair Wrong {
        arch: duodiff::uvit(dim = 64, heads = 5, patch = 4),
        image: [1, 28, 28],
        process: linear_betas(1e-4, 2e-2, 1000),
        time: t,
        predicts: epsilom,
        guidance: 0.4,
        backbones: { shallow: depth = 3, deep: depth = 9 },
        phases: { shallow: 999..=700, deep: 698..=0 },
    }
}

fn main() {
    // The type is there, so that nothing but the declaration is blamed.
    let _ = Wrong.spec();
}
