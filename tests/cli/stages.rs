//! Every stage of a pair as text, compared with the texts in `stages/`.

use std::path::Path;

use crate::session::Session;

#[track_caller]
fn check(stage: &str, more: &[&str], file: &str) {
    let arguments = [&["inspect", "Mnist", "--stage", stage], more].concat();
    let found = Session::new().run(&arguments).answer();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/cli/stages").join(file);
    if std::env::var_os("DUODIFF_BLESS").is_some() {
        std::fs::write(&path, &found).unwrap();
    }
    let known = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = known.lines().zip(found.lines()).position(|(known, found)| known != found);
    assert!(known == found, "{file}: differs first at line {differs:?}; DUODIFF_BLESS=1 writes it anew");
}

#[test]
fn steps() {
    check("steps", &[], "steps.txt");
}

#[test]
fn build() {
    check("build", &[], "build.txt");
}

#[test]
fn raise() {
    check("raise", &[], "raise.txt");
}

#[test]
fn optimize() {
    check("optimize", &[], "optimize.txt");
}

#[test]
fn the_first_three_passes() {
    check("optimize", &["--stop-after", "3"], "optimize-3.txt");
}

#[test]
fn plan() {
    check("plan", &[], "plan.txt");
}

#[test]
fn launches() {
    check("launch", &["--precision", "f32"], "launch-f32.txt");
    check("launch", &["--precision", "bf16", "--batch", "8", "--target", "sm_80"], "launch-bf16.txt");
}
