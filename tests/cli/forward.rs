//! `duodiff forward` against the reference's outputs, and what it refuses.

use std::fs;
use std::path::Path;

use crate::session::Session;
use crate::tensors::{distance, read, write};

fn weights(net: &str) -> String {
    format!("{}/../models/weights/mnist.{net}.safetensors", env!("CARGO_MANIFEST_DIR"))
}

fn forward<'a>(net: &'a str, weights: &'a str, input: &'a str) -> Vec<&'a str> {
    vec!["forward", "--pair", "Mnist", "--net", net, "--weights", weights, "--input", input, "--output", "out.safetensors"]
}

#[test]
fn agrees_with_the_reference() {
    let session = Session::new();
    let case = format!("{}/../tests/data/mnist.cases.safetensors", env!("CARGO_MANIFEST_DIR"));
    let wanted = read(Path::new(&case));
    for net in ["shallow", "deep"] {
        let answer = session.run(&forward(net, &weights(net), &case)).answer();
        assert_eq!(answer, "out.safetensors\n");
        let (shape, values) = &read(&session.path("out.safetensors"))["eps"];
        let (wanted_shape, wanted) = &wanted[&format!("f.{net}")];
        assert_eq!(shape, wanted_shape);
        let error = distance(values, wanted);
        assert!(error <= 2e-5, "{net}: off by {error}");
    }
    assert_eq!(session.names("."), ["out.safetensors"], "no temporary file is left");
}

#[test]
fn a_bundle_and_the_embedded_pair_have_weights_of_their_own() {
    let session = Session::new();
    write(&session.path("case"), &[("x", &[1, 1, 28, 28], &[0.5; 784]), ("t", &[1], &[7.0])]);
    session.run(&["compile", "Mnist", "-o", "x.duo"]).answer();
    session.run(&["compile", "Mnist", "--without-weights", "-o", "bare.duo"]).answer();
    let deep = weights("deep");
    let eps = |more: &[&str]| {
        session.run(&[&["forward", "--net", "deep", "--input", "case", "--output", "out"], more].concat()).answer();
        fs::read(session.path("out")).unwrap()
    };
    let wanted = eps(&["Mnist", "--weights", &deep]);
    for more in [&[][..], &["Mnist"], &["--pair", "Mnist"], &["x.duo"], &["bare.duo", "--weights", &deep]] {
        assert!(eps(more) == wanted, "{more:?}");
    }
    let bare = ["forward", "bare.duo", "--net", "shallow", "--input", "case", "--output", "no"];
    session.refuses(&bare, 2, "try: --weights shallow.safetensors");
    session.refuses(&[&bare[..], &["--weights", &deep]].concat(), 3, "mnist.deep.safetensors");
}

#[test]
fn refuses_inputs_that_do_not_fit() {
    let session = Session::new();
    let image = vec![0.5; 2 * 784];
    let (deep, shape) = (weights("deep"), [2, 1, 28, 28]);
    let refuse = |name: &str, tensors: &[(&str, &[usize], &[f32])], message: &str| {
        write(&session.path(name), tensors);
        session.refuses(&forward("deep", &deep, name), 3, message);
    };
    refuse("no_t", &[("x", &shape, &image)], "t");
    refuse("no_x", &[("t", &[2], &[1.0, 2.0])], "x");
    refuse("other_batch", &[("x", &shape, &image), ("t", &[1], &[1.0])], "[2]");
    refuse("other_shape", &[("x", &[2, 28, 28], &image), ("t", &[2], &[1.0, 2.0])], "[B, 1, 28, 28]");
    refuse("labels", &[("x", &shape, &image), ("t", &[2], &[1.0, 2.0]), ("y", &[2], &[1.0, 2.0])], "no classes");
    refuse("not_finite", &[("x", &shape, &image), ("t", &[2], &[f32::NAN, 2.0])], "finite");
    refuse("beyond", &[("x", &shape, &image), ("t", &[2], &[1000.0, 2.0])], "999");
    refuse("empty", &[("x", &[0, 1, 28, 28], &[]), ("t", &[0], &[])], "x");
    write(&session.path("good"), &[("x", &shape, &image), ("t", &[2], &[1.0, 2.0])]);
    session.refuses(&forward("deep", &weights("shallow"), "good"), 3, "mnist.shallow.safetensors");
    session.refuses(&forward("deep", "no.safetensors", "good"), 3, "no.safetensors");
    session.refuses(&forward("deeep", &deep, "good"), 2, "`deep`");
    session.refuses(&forward("deep", "a,b", "good"), 2, "one file");
    session.refuses(&forward("deep", &deep, "nowhere"), 3, "nowhere");
    let cifar = ["forward", "Cifar10", "--net", "deep", "--input", "cifar", "--output", "out"];
    write(&session.path("cifar"), &[("x", &[1, 3, 32, 32], &[0.5; 3072]), ("t", &[1], &[1.0])]);
    session.refuses(&cifar, 2, "try: --weights deep.safetensors (or random:0");
    session.refuses(&[&cifar[..], &["--pair", "Mnist"]].concat(), 2, "cannot be used with");
}

#[test]
fn an_output_that_cannot_be_written_is_exit_74() {
    let session = Session::new();
    write(&session.path("case"), &[("x", &[1, 1, 28, 28], &[0.5; 784]), ("t", &[1], &[7.0])]);
    let deep = weights("deep");
    let mut arguments = forward("deep", &deep, "case");
    *arguments.last_mut().unwrap() = "no/such/folder/out.safetensors";
    session.refuses(&arguments, 74, "could not write");
}
