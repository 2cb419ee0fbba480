//! `duodiff doctor`: it always answers.

use crate::session::Session;

#[test]
fn says_what_runs_and_what_does_not() {
    let session = Session::new().with("PATH", "");
    let text = session.run(&["doctor"]).answer();
    for (name, wanted) in [
        ("cpu", " of memory free"),
        ("cuda", "no: no NVIDIA driver was found (libcuda.so.1) -- install the NVIDIA driver 580 or newer"),
        ("compiler", "no CUDA compiler"),
        ("cache", "duodiff/cubins: 0 cubins, 0 B"),
        ("pair", "Mnist, built in, for cpu, weights inside, runs on cpu"),
    ] {
        let line = text.lines().find(|line| line.split_whitespace().next() == Some(name));
        assert!(line.is_some_and(|line| line.contains(wanted)), "no {name} with {wanted:?} in\n{text}");
    }
    assert!(text.contains("pip install"), "{text}");
    let kinds: Vec<_> = session.run(&["doctor", "--json"]).json().iter().map(|line| line["kind"].clone()).collect();
    assert_eq!(kinds, ["cpu", "cuda", "compiler", "cache", "pair"]);
    assert_eq!(session.names("."), [""; 0], "nothing is made");
}

#[test]
#[cfg(unix)]
fn knows_the_compiler() {
    let nvcc = crate::session::FakeNvcc::new();
    let text = nvcc.session().run(&["doctor"]).answer();
    assert!(text.contains("nvcc 13.0.99 at ") && text.contains(" (PATH), for sm_80, sm_90, sm_90a\n"), "{text}");
}
