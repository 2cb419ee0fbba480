//! What the macro makes of the declared pairs.

use duodiff::graph::program::Origin;
use duodiff::{Cifar10, Mnist, Pair};

/// Elements of all parameters of a backbone.
fn parameters(pair: &dyn Pair, backbone: usize) -> usize {
    let built = pair.build(backbone);
    let weights = built.loads.iter().filter(|load| matches!(load.role, Origin::Parameter { .. }));
    weights.map(|load| load.shape.iter().product::<usize>()).sum()
}

#[test]
fn mnist_builds() {
    assert_eq!(parameters(&Mnist, 0), 0);
}
#[test]
fn cifar10_has_the_published_number_of_parameters() {
    assert_eq!([parameters(&Cifar10, 0), parameters(&Cifar10, 1)], [10_122_848, 44_255_328]);
}
