//! The declared pairs build networks with exactly the parameters of the checkpoints that they are for.

mod common;

use std::collections::BTreeMap;
use std::path::Path;

use common::pairs::{Cond, MlpTime, Uncond};
use duodiff::graph::program::Origin;
use duodiff::{Cifar10, Mnist, Pair};
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

/// Conventions: parameters as counted from the authors' code.
#[test]
fn cifar10_has_the_published_number_of_parameters() {
    assert_eq!([elements(&Cifar10, 0), elements(&Cifar10, 1)], [10_122_848, 44_255_328]);
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
