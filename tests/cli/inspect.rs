//! `duodiff inspect`: pairs and their stages, weights, pictures; what is refused.

use std::fs;

use crate::session::Session;

#[test]
fn a_pair_shows_what_it_declares_and_costs() {
    let text = Session::new().run(&["inspect", "Cifar10"]).answer();
    for wanted in [
        "image     3x32x32",
        "process   linear betas 0.0001 to 0.02, 1000 timesteps",
        "time fed  t / 1000",
        "phases    shallow 999..=700, deep 699..=0",
        "10,122,848",
        "44,255,328",
        "24.40",
    ] {
        assert!(text.contains(wanted), "no {wanted:?} in\n{text}");
    }
    let json = Session::new().run(&["inspect", "Cifar10", "--json"]).json();
    assert_eq!(json[0]["backbones"][1]["parameters"], 44_255_328);
    assert_eq!(json[0]["spec"]["name"], "Cifar10");
    assert!(json[0]["peak"]["bytes"].as_u64().unwrap() > json[0]["arena_bytes_per_image"].as_u64().unwrap());
}

#[test]
fn every_stage_is_text_and_json() {
    let session = Session::new();
    for (stage, wanted) in [
        ("steps", "shallow"),
        ("build", "primitive"),
        ("raise", "attention"),
        ("optimize", "residual"),
        ("plan", "arena of"),
        ("launch", "<<<"),
        ("cuda", "nvcc "),
    ] {
        let text = session.run(&["inspect", "Mnist", "--stage", stage]).answer();
        assert!(text.contains(wanted), "{stage}: no {wanted:?}");
        assert!(!session.run(&["inspect", "Mnist", "--stage", stage, "--json"]).json().is_empty());
    }
    let steps = session.run(&["inspect", "Mnist", "--stage", "steps", "--json"]).json();
    assert_eq!(steps.len(), 50);
    assert_eq!((&steps[0]["row"]["t"], &steps[49]["row"]["t"]), (&999.0.into(), &0.0.into()));
    assert_eq!(
        (&steps[14]["backbone"], &steps[15]["backbone"]),
        (&"shallow".into(), &"deep".into()),
        "999 * 35 / 49 = 713, 999 * 34 / 49 = 693"
    );
}

#[test]
fn stop_after_runs_so_many_passes() {
    let session = Session::new();
    let passes = |count: &str| {
        let lines = session.run(&["inspect", "Mnist", "--stage", "optimize", "--stop-after", count, "--json"]).json();
        lines.iter().filter(|line| line["kind"] == "pass" && line["backbone"] == "deep").count()
    };
    assert_eq!((passes("0"), passes("3")), (0, 3));
    session.refuses(&["inspect", "Mnist", "--stage", "optimize", "--stop-after", "1000"], 2, "passes");
    session.refuses(&["inspect", "Mnist", "--stage", "raise", "--stop-after", "1"], 2, "--stage optimize");
    session.refuses(&["inspect", "Mnist", "--stage", "plan", "--target", "sm_80"], 2, "--stage launch or cuda");
    session.refuses(&["inspect", "Mnist", "--stage", "cuda", "--batch", "2"], 2, "--stage launch");
    session.refuses(&["inspect", "Mnist", "--stage", "launch", "--target", "cpu"], 2, "--target sm_90a");
}

#[test]
fn weights_show_their_tensors_and_where_they_fit() {
    let session = Session::new();
    let path = format!("{}/../models/weights/mnist.deep.safetensors", env!("CARGO_MANIFEST_DIR"));
    let text = session.run(&["inspect", &path]).answer();
    for wanted in ["decoder_pred.weight", "[16, 128]", "bf16", "Mnist.deep"] {
        assert!(text.contains(wanted), "no {wanted:?} in\n{text}");
    }
    let json = session.run(&["inspect", &path, "--json"]).json();
    assert_eq!(json[0]["fits"], serde_json::json!(["Mnist.deep"]));
}

#[test]
fn a_picture_tells_how_it_was_made() {
    let session = Session::new();
    session.run(&["sample", "--count", "2", "--steps", "2", "--seed", "5", "-o", "run"]).answer();
    let text = session.run(&["inspect", "run/images/000001.png"]).answer();
    assert!(text.contains("Mnist\nSteps: 2, Sampler: DDIM, Seed: 5, Index: 1, Size: 28x28, Model hash: "), "{text}");
    let json = session.run(&["inspect", "run/images/000001.png", "--json"]).json();
    assert_eq!((&json[0]["kind"], &json[0]["width"]), (&"png".into(), &28.into()));
    let story = &json[0]["texts"][1];
    assert_eq!(story["keyword"], "duodiff");
    let story = &story["value"];
    for (field, value) in [("seed", 5), ("index", 1), ("steps", 2), ("schema", 1)] {
        assert_eq!(story[field], value, "{field}");
    }
    assert_eq!(story["solver"], "ddim");
    let plan = &session.run(&["inspect", "Mnist", "--json"]).json()[0]["plan"];
    assert_eq!(&story["plan"], plan, "a picture names the plan that made it");
    let weights = format!("{}/../models/weights/mnist.deep.safetensors", env!("CARGO_MANIFEST_DIR"));
    let weights = &session.run(&["inspect", &weights, "--json"]).json()[0]["hash"];
    assert_eq!(&story["weights"]["deep"], weights, "and the weights");
}

#[test]
fn what_is_no_pair_and_no_file_is_refused() {
    let session = Session::new();
    session.refuses(&["inspect", "Cifar"], 2, "`Cifar10`");
    session.refuses(&["inspect", "no.png"], 3, "no such file");
    session.refuses(&["inspect", "."], 3, "");
    for (name, bytes, message) in [
        ("empty", &b""[..], "first bytes"),
        ("text", b"hello, world, this is text", "first bytes"),
        ("net.pth", b"PK\x03\x04 and so on", ".safetensors"),
        ("cut.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "cut.png"),
        ("cut.safetensors", b"\x40\0\0\0\0\0\0\0{\"a\"", "cut.safetensors"),
        ("huge.safetensors", b"\xff\xff\xff\xff\xff\xff\0\0{\"a\"", "huge.safetensors"),
    ] {
        fs::write(session.path(name), bytes).unwrap();
        session.refuses(&["inspect", name], 3, message);
    }
    session.refuses(&["inspect", "empty", "--stage", "plan"], 2, "--stage");
}
