//! `duodiff forward` against the reference's outputs, and what it refuses.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::session::Session;

/// Tensors of a .safetensors file, float32 or int64, as float64.
fn read(path: &Path) -> BTreeMap<String, (Vec<usize>, Vec<f64>)> {
    let bytes = fs::read(path).unwrap();
    let (length, rest) = bytes.split_at(8);
    let (header, data) = rest.split_at(u64::from_le_bytes(length.try_into().unwrap()) as usize);
    let header: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(header).unwrap();
    let tensors = header.iter().filter(|(name, _)| *name != "__metadata__").map(|(name, info)| {
        let numbers = |key: &str| info[key].as_array().unwrap().iter().map(|n| n.as_u64().unwrap() as usize).collect::<Vec<_>>();
        let range = numbers("data_offsets");
        let bytes = &data[range[0]..range[1]];
        let values = match info["dtype"].as_str().unwrap() {
            "F32" => bytes.chunks_exact(4).map(|b| f64::from(f32::from_le_bytes(b.try_into().unwrap()))).collect(),
            "I64" => bytes.chunks_exact(8).map(|b| i64::from_le_bytes(b.try_into().unwrap()) as f64).collect(),
            other => panic!("{other}"),
        };
        (name.clone(), (numbers("shape"), values))
    });
    tensors.collect()
}

/// Writes float32 tensors.
fn write(path: &Path, tensors: &[(&str, &[usize], &[f32])]) {
    let (mut header, mut data) = (serde_json::Map::new(), Vec::new());
    for (name, shape, values) in tensors {
        let start = data.len();
        values.iter().for_each(|value| data.extend(value.to_le_bytes()));
        header.insert(name.to_string(), serde_json::json!({"dtype": "F32", "shape": shape, "data_offsets": [start, data.len()]}));
    }
    let header = serde_json::to_vec(&header).unwrap();
    fs::write(path, [&(header.len() as u64).to_le_bytes()[..], &header, &data].concat()).unwrap();
}

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
        let error = values.iter().zip(wanted).map(|(found, wanted)| (found - wanted).abs()).fold(0.0, f64::max);
        assert!(error <= 2e-5, "{net}: off by {error}");
    }
    assert_eq!(session.names("."), ["out.safetensors"], "no temporary file is left");
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
