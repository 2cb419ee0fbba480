//! Declarations for tests that need a pair.

use crate::spec::{BackboneSpec, Betas, Classes, History, ImageShape, PairSpec, Phase, Prediction, Process, TimeMap};

/// A pair of backbones `shallow` and `deep` with the usual process and a switch in the middle.
pub fn spec(image: [usize; 3], classes: Option<usize>) -> PairSpec {
    let [channels, height, width] = image;
    let backbone = |name: &str| BackboneSpec { name: name.into(), process: None, time: None };
    PairSpec {
        name: "Test".into(),
        doc: String::new(),
        image: ImageShape { channels, height, width },
        process: Process { betas: Betas::Linear { first: 1e-4, last: 2e-2 }, steps: 1000 },
        time: TimeMap::IDENTITY,
        predicts: Prediction::Epsilon,
        classes: classes.map(|count| Classes { count: count as u32, null: None }),
        guidance: None,
        backbones: vec![backbone("shallow"), backbone("deep")],
        phases: vec![Phase { backbone: 0, first: 999, last: 500 }, Phase { backbone: 1, first: 499, last: 0 }],
        history: History::Carry,
    }
}
