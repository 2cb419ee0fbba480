//! `duodiff verify`: what is right passes, what is wrong is found where it is.

use std::fs;

use serde_json::Value;

use crate::session::Session;

fn weights(net: &str) -> String {
    format!("{}/../models/weights/mnist.{net}.safetensors", env!("CARGO_MANIFEST_DIR"))
}

/// The verdicts among JSON lines.
pub fn verdicts(lines: &[Value]) -> Vec<&Value> {
    lines.iter().filter(|line| line["kind"] == "verdict").collect()
}

/// A copy of a backbone's weights with one tensor's elements moved by one.
fn spoiled(session: &Session, net: &str, key: &str) -> String {
    let mut bytes = fs::read(weights(net)).unwrap();
    let start = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header: Value = serde_json::from_slice(&bytes[8..start]).unwrap();
    let at = |index: usize| start + header[key]["data_offsets"][index].as_u64().unwrap() as usize;
    let width = if header[key]["dtype"] == "F32" { 4 } else { 2 };
    bytes[at(0)..at(1)].rotate_left(width);
    let path = session.path(format!("{net}.spoiled"));
    fs::write(&path, bytes).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn the_embedded_pair_passes() {
    let told = Session::new().run(&["verify"]);
    assert!(told.stderr.contains("Mnist shallow: 0.0665 GFLOP, two or three times in float64"), "{told:?}");
    let text = told.answer();
    for wanted in ["Mnist shallow on cpu", "Mnist deep on cpu", "56 operators and the output are within the bound", "fusing    changes"] {
        assert!(text.contains(wanted), "{wanted} in {text}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    let case = format!("{}/../tests/data/mnist.cases.safetensors", env!("CARGO_MANIFEST_DIR"));
    for more in [&["--input", &case][..], &["--batch", "3", "--threads", "1", "--net", "deep"]] {
        let lines = Session::new().run(&[&["verify", "Mnist", "--json", "-q"], more].concat()).json();
        let verdicts = verdicts(&lines);
        assert_eq!(verdicts.len(), if more.contains(&"--net") { 1 } else { 2 });
        for verdict in verdicts {
            assert!(verdict["good"] == true && verdict["output_relative"].as_f64().unwrap() <= 1e-5, "{verdict}");
            assert!(verdict["output"]["largest"].as_f64().unwrap() > 0.5 && verdict["unfused_relative"].as_f64().unwrap() <= 1e-9);
        }
        let qkv = lines.iter().find(|line| line["layer"] == "in_blocks.0.attn.qkv").unwrap();
        assert_eq!((&qkv["kind"], &qkv["op"], &qkv["part"]), (&"operator".into(), &"linear".into(), &"body".into()));
        assert!(qkv["own_relative"].as_f64().is_some_and(|own| own > 0.0 && own < 1e-5), "{qkv}");
    }
}

#[test]
fn a_wrong_weight_is_named() {
    let session = Session::new();
    let wrong = spoiled(&session, "deep", "out_blocks.1.mlp.fc1.weight");
    let (shallow, deep) = (weights("shallow"), weights("deep"));
    let [wrong, right] = [wrong, deep].map(|deep| format!("{shallow},{deep}"));
    let failed = session.run(&["verify", "Mnist", "--weights", &wrong, "--reference-weights", &right]);
    assert_eq!(failed.code, Some(6), "{failed:?}");
    assert!(failed.stderr.contains("verification failed: Mnist deep: linear out_blocks.1.mlp.fc1 (body 39) is off by"), "{failed:?}");
    assert!(failed.stderr.contains("try: duodiff inspect"), "{failed:?}");
    let marked: Vec<_> = failed.stdout.lines().filter(|line| line.ends_with("WRONG")).collect();
    assert!(marked.len() == 1 && marked[0].starts_with("39  linear"), "{marked:?}");
    assert!(failed.stdout.contains("WRONG     first at linear out_blocks.1.mlp.fc1"), "{failed:?}");
    assert!(failed.stdout.contains("23 operators and the output are within the bound"), "the other backbone passes: {failed:?}");
    let spoiled = session.path("deep.spoiled");
    let one = ["verify", "--net", "deep", "--json", "--weights", spoiled.to_str().unwrap(), "--reference-weights", &weights("deep")];
    let failed = session.run(&one);
    let lines: Vec<Value> = failed.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((failed.code, &verdicts(&lines)[0]["first_bad"]), (Some(6), &"out_blocks.1.mlp.fc1".into()));
}

#[test]
fn a_bundle_is_verified_as_it_is() {
    let session = Session::new();
    session.run(&["compile", "Mnist", "-o", "x.duo"]).answer();
    let text = session.run(&["verify", "x.duo", "--net", "shallow"]).answer();
    assert!(text.contains("good      23 operators") && text.contains("fusing    "), "{text}");
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let session = Session::new();
    session.refuses(&["verify", "Cifar10"], 2, "try: --weights shallow.safetensors (or random:0");
    session.refuses(&["verify", "--net", "middle"], 2, "Mnist has no backbone `middle`");
    session.refuses(&["verify", "--against", "cpu"], 2, "try: --against interpreter");
    session.refuses(&["verify", "--weights", "a"], 2, "--weights names 1 files, Mnist has 2 backbones");
    session.refuses(&["verify", "--input", "nowhere"], 3, "nowhere");
    session.refuses(&["verify", "--input", "x", "--batch", "2"], 2, "cannot be used with");
    session.refuses(&["verify", "--device", "cuda:0"], 4, "not for a GPU");
    if !cfg!(feature = "luminal-cuda") {
        let message = "try: cargo install --path duodiff-cli --features luminal-cuda";
        session.refuses(&["verify", "--against", "luminal-cuda"], 2, message);
    }
}
