//! The interpreter against PyTorch's outputs.

use super::{Inputs, net};
use crate::tests::golden::tensors;
use crate::tests::uvit::Uvit;

/// Largest absolute difference between the interpreter and the golden output of a backbone.
fn error(case: &str, backbone: &str, uvit: Uvit, times: &[f32], labels: Option<&[u32]>) -> f64 {
    let cases = tensors(&format!("{case}.cases.safetensors")).tensors;
    let weights = tensors(&format!("{case}.{backbone}.safetensors"));
    let inputs = Inputs { images: &cases["x"].data, times, labels };
    let out = net(&uvit.net(backbone), &inputs, &weights).unwrap();
    let expected = &cases[&format!("eps.{backbone}")].data;
    assert_eq!(out.len(), expected.len());
    out.iter().zip(expected).map(|(found, expected)| (found - f64::from(*expected)).abs()).fold(0.0, f64::max)
}

#[test]
fn agrees_with_pytorch_on_unconditional_nets() {
    for (backbone, depth) in [("shallow", 3), ("deep", 5)] {
        let found = error("uncond", backbone, Uvit::new([3, 8, 8], 2, 32, 4, depth), &[0.999, 0.137], None);
        assert!(found < 3e-6, "{backbone}: {found}");
    }
}

#[test]
fn agrees_with_pytorch_on_conditional_nets() {
    for (backbone, depth) in [("shallow", 3), ("deep", 7)] {
        let uvit = Uvit { classes: Some(11), ..Uvit::new([4, 16, 16], 4, 64, 4, depth) };
        let found = error("cond", backbone, uvit, &[999.0, 137.0], Some(&[0, 9]));
        assert!(found < 3e-6, "{backbone}: {found}");
    }
}

#[test]
fn agrees_with_pytorch_on_nets_with_a_time_mlp() {
    for (backbone, depth) in [("shallow", 1), ("deep", 5)] {
        let uvit = Uvit { mlp_time: true, qkv_bias: true, conv: false, ..Uvit::new([1, 8, 8], 2, 48, 3, depth) };
        let found = error("mlp_time", backbone, uvit, &[0.999, 0.137], None);
        assert!(found < 3e-6, "{backbone}: {found}");
    }
}

/// The bound of the tests above would notice a wrong time or label.
#[test]
fn golden_cases_are_sharp() {
    let uvit = Uvit { classes: Some(11), ..Uvit::new([4, 16, 16], 4, 64, 4, 3) };
    assert!(error("cond", "shallow", uvit, &[998.0, 137.0], Some(&[0, 9])) > 1e-3);
    assert!(error("cond", "shallow", uvit, &[999.0, 137.0], Some(&[0, 8])) > 1e-3);
}
