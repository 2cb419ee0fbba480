//! Help, version and completions. `SNAPSHOTS=overwrite cargo test -p duodiff-cli --test cli` accepts changes.

use snapbox::{assert_data_eq, file};

use crate::session::Session;

#[test]
fn help_is_pinned() {
    let help = |command: &[&str]| Session::new().run(&[command, &["--help"]].concat()).answer();
    assert_data_eq!(help(&[]), file!["help/duodiff.txt"].raw());
    assert_data_eq!(help(&["pairs"]), file!["help/pairs.txt"].raw());
    assert_data_eq!(help(&["sample"]), file!["help/sample.txt"].raw());
    assert_data_eq!(help(&["compile"]), file!["help/compile.txt"].raw());
    assert_data_eq!(help(&["doctor"]), file!["help/doctor.txt"].raw());
    assert_data_eq!(help(&["inspect"]), file!["help/inspect.txt"].raw());
    assert_data_eq!(help(&["forward"]), file!["help/forward.txt"].raw());
    assert_data_eq!(help(&["verify"]), file!["help/verify.txt"].raw());
    assert_data_eq!(help(&["completions"]), file!["help/completions.txt"].raw());
}

#[test]
fn version_is_the_answer() {
    let version = Session::new().run(&["--version"]).answer();
    assert_eq!(version, format!("duodiff {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn completions_name_every_command() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = Session::new().run(&["completions", shell]).answer();
        for command in ["pairs", "sample", "compile", "inspect", "forward", "verify", "doctor", "completions"] {
            assert!(script.contains(command), "{shell}: {command}");
        }
    }
}

#[test]
#[cfg(unix)]
fn a_reader_that_goes_away_is_no_error() {
    let outcome = Session::new().shell("$DUODIFF completions bash | true; $DUODIFF --help | true");
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
    let outcome = Session::new().shell("{ $DUODIFF completions bash; echo $? >code; } | true; cat code");
    assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("0\n", ""));
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_device_is_an_output_error() {
    for command in ["completions bash", "--help"] {
        let outcome = Session::new().shell(&format!("$DUODIFF {command} >/dev/full"));
        assert_eq!(outcome.code, Some(74), "{outcome:?}");
    }
}
