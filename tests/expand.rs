//! The declared pairs build networks with exactly the parameters of the checkpoints that they are for.

#![cfg(feature = "compile")]

mod common;

use std::collections::BTreeMap;
use std::path::Path;

use common::dit::Stitched;
use common::pairs::{Cond, MlpTime, Uncond};
use duodiff::graph::program::Origin;
use duodiff::spec::{Betas, History, Process, TimeMap};
use duodiff::{Celeba64, Cifar10, Imagenet64, Imagenet256, Mnist, Pair};
use safetensors::SafeTensors;

/// Key and shape of every parameter of a backbone.
fn parameters(pair: &dyn Pair, backbone: usize) -> BTreeMap<String, Vec<usize>> {
    let named = |origin| match origin {
        Origin::Param { key, shape } => Some((key, shape)),
        _ => None,
    };
    pair.build(backbone).loads.into_iter().filter_map(|load| named(load.role)).collect()
}

fn elements(pair: &dyn Pair, backbone: usize) -> usize {
    parameters(pair, backbone).values().map(|shape| shape.iter().product::<usize>()).sum()
}

/// Key and shape of every tensor of a checkpoint.
fn checkpoint(name: &str) -> BTreeMap<String, Vec<usize>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    let bytes = std::fs::read(path).expect("a golden checkpoint");
    let tensors = SafeTensors::deserialize(&bytes).expect("a safetensors file");
    tensors.iter().map(|(name, tensor)| (name.to_string(), tensor.shape().to_vec())).collect()
}

fn fits(pair: &dyn Pair, files: &str) {
    for (index, backbone) in pair.spec().backbones.iter().enumerate() {
        assert_eq!(parameters(pair, index), checkpoint(&format!("{files}.{}.safetensors", backbone.name)), "{files} {}", backbone.name);
    }
}

#[test]
fn an_unconditional_pair_has_the_parameters_of_its_checkpoints() {
    fits(&Uncond, "uncond");
}

#[test]
fn a_conditional_pair_has_the_parameters_of_its_checkpoints() {
    fits(&Cond, "cond");
}

#[test]
fn a_pair_with_a_time_network_has_the_parameters_of_its_checkpoints() {
    fits(&MlpTime, "mlp_time");
}

/// As counted from the authors' code.
#[test]
fn ready_pairs_have_the_published_numbers_of_parameters() {
    assert_eq!([elements(&Cifar10, 0), elements(&Cifar10, 1)], [10_122_848, 44_255_328]);
    assert_eq!([parameters(&Cifar10, 0).len(), parameters(&Cifar10, 1).len()], [44, 164]);
    assert_eq!((elements(&Imagenet64, 1), parameters(&Imagenet64, 1).len()), (130_940_292, 213));
    assert_eq!((elements(&Imagenet256, 1), parameters(&Imagenet256, 1).len()), (286_763_172, 261));
    assert_eq!([0, 1].map(|backbone| (elements(&Celeba64, backbone) + 5_000) / 10_000), [1016, 4429], "in units of 0.01 million");
}

#[test]
fn odd_and_even_depths_are_one_network() {
    assert_eq!(parameters(&Mnist, 0).len(), 44);
    assert_eq!(parameters(&Mnist, 1).len(), 116);
}

#[test]
fn a_spec_says_what_was_declared() {
    let spec = Cond.spec();
    assert_eq!((spec.name.as_str(), spec.backbones[1].name.as_str()), ("Cond", "deep"));
    assert_eq!(spec.doc, "Ten classes and a null label, guided; the network is fed the timestep itself.");
    assert_eq!(spec.classes.map(|classes| (classes.count, classes.null)), Some((11, Some(10))));
    assert_eq!(spec.guidance.map(|guidance| guidance.scale), Some(0.4));
    assert_eq!((spec.phases[0].first, spec.phases[0].last, spec.phases[1].last), (999, 700, 0));
    assert_eq!(Uncond.spec().time.at(137.0), 137.0 / 1000.0);
}

/// 12 tensors around the blocks, 10 in each.
#[test]
fn another_architecture_and_widths_need_nothing_but_the_language() {
    for backbone in 0..3 {
        assert_eq!(parameters(&Stitched, backbone).len(), 12 + 2 * 10, "backbone {backbone}");
    }
    let wide = parameters(&Stitched, 1);
    assert_eq!(wide["blocks.1.adaLN_modulation.1.weight"], [6 * 48, 48]);
    assert_eq!(wide["y_embedder.embedding_table.weight"], [1001, 48]);
    assert_eq!(wide["final_layer.linear.bias"], [16]);
}

#[test]
fn a_backbone_may_have_a_process_and_a_time_of_its_own() {
    let spec = Stitched.spec();
    assert_eq!(spec.backbones[0].process, None);
    assert_eq!(spec.process_of(2), Process { betas: Betas::Cosine, steps: 1000 });
    assert_eq!(spec.time_of(2), TimeMap { times: 999.0, over: 1000.0, plus: 1.0 });
    assert_eq!(spec.history, History::Restart);
}
