use duodiff::{Pair, duodiff};

duodiff! {
    pub pair Lost {
        arch: duodiff::uvitt(dim = 8),
        image: [1, 8, 8],
        process: cosine_betas(10),
        time: t,
        predicts: x0,
        backbones: { a: depth = 1, b: depth = 3 },
        phases: { a: 9..=5, b: 4..=0 },
    }
}

fn main() {
    let _ = Lost.spec();
}
