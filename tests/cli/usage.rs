//! Command lines that make no sense: exit code 2, a message that says what to type, no trace.

use crate::session::Session;

#[test]
fn nonsense_is_refused_with_the_way_out() {
    let session = Session::new();
    for (arguments, message) in [
        (&["smaple"][..], "sample"),
        (&["sample", "--cuont", "3"], "--count"),
        (&["sample", "--count", "0"], "--count"),
        (&["sample", "--count", "-1"], "-1"),
        (&["sample", "--count", "many"], "--count"),
        (&["sample", "--seed", "18446744073709551616"], "--seed"),
        (&["sample", "--steps", "0"], "--steps"),
        (&["sample", "--solver", "euler"], "[possible values: ddpm, ddim]"),
        (&["sample", "--eta", "nan"], "--eta"),
        (&["sample", "--batch", "0"], "--batch 4"),
        (&["sample", "--threads", "0"], "--threads"),
        (&["sample", "--device", "cuda"], "cuda:0"),
        (&["sample", "--device", "tpu"], "--device cpu"),
        (&["sample", "--weights", "random:x"], "random:0"),
        (&["sample", "--weights", "a,,b"], "empty"),
        (&["sample", "--class", "cat"], "0,1,2"),
        (&["sample", "--quantize", "floor"], "trunc"),
        (&["sample", "-q", "-v"], "--verbose"),
        (&["inspect"], "<X>"),
        (&["inspect", "Mnist", "--stop-after", "1"], "--stage"),
        (&["forward", "--pair", "Mnist"], "--net"),
        (&["completions", "tcsh"], "bash"),
        (&[], "Usage"),
    ] {
        session.refuses(arguments, 2, message);
    }
}

#[test]
fn an_echo_is_short_and_harmless() {
    let session = Session::new();
    let long = "x".repeat(100_000);
    let hostile = "\u{1b}[2J\u{1b}]0;owned\u{7}";
    for typed in [long.as_str(), hostile] {
        for arguments in
            [&["sample", "--count", typed][..], &["sample", "--class", typed], &[typed], &["sample", "a", typed], &["inspect", typed]]
        {
            let outcome = session.run(arguments);
            assert!(matches!(outcome.code, Some(2 | 3)), "{outcome:?}");
            assert!(outcome.stderr.len() < 1000, "{} bytes", outcome.stderr.len());
            assert!(!outcome.stderr.contains(['\u{1b}', '\u{7}']), "{:?}", outcome.stderr);
        }
    }
}
