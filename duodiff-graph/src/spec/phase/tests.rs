//! Phases: accepted, refused with a mend, parsed and printed.

use super::*;

fn backbones() -> Vec<BackboneSpec> {
    ["shallow", "deep"].map(|name| BackboneSpec { name: name.to_owned(), process: None, time: None }).to_vec()
}

fn phase(backbone: usize, first: u32, last: u32) -> Phase {
    Phase { backbone, first, last }
}

fn refusal(phases: &[Phase]) -> String {
    Phase::check(phases, &backbones(), 1000).expect_err("refused").to_string()
}

fn parse_refusal(text: &str) -> String {
    Phase::parse(text, &backbones(), 1000).expect_err("refused").to_string()
}

#[test]
fn accepts_any_number_in_any_order() {
    for phases in [
        vec![phase(1, 999, 0)],
        vec![phase(0, 999, 700), phase(1, 699, 0)],
        vec![phase(1, 999, 900), phase(0, 899, 899), phase(1, 898, 1), phase(0, 0, 0)],
    ] {
        assert_eq!(Phase::check(&phases, &backbones(), 1000), Ok(()));
    }
}

#[test]
fn refuses_with_a_mend() {
    let cases = [
        (vec![], "there are no phases -- name at least one, e.g. deep:1000"),
        (vec![phase(2, 999, 0)], "phase 0 runs backbone 2, but there are 2"),
        (vec![phase(0, 0, 999)], "phase `shallow` ascends from 0 to 999 -- ranges run in sampling order, write 999..=0"),
        (vec![phase(0, 998, 0)], "no phase covers timesteps 999..=999 -- extend `shallow` up to 999"),
        (vec![phase(0, 1000, 0)], "phase `shallow` starts at timestep 1000, the process has 1000 -- start at 999"),
        (vec![phase(0, 999, 1)], "no phase covers timesteps 0..=0 -- extend `shallow` down to 0"),
        (
            vec![phase(0, 999, 700), phase(1, 698, 0)],
            "no phase covers timesteps 699..=699 -- extend `shallow` down to 699 or `deep` up to 699",
        ),
        (vec![phase(0, 999, 700), phase(1, 710, 0)], "timesteps 710..=700 are covered twice, last by `deep` -- let `deep` start at 699"),
        (
            vec![phase(1, 999, 0), phase(0, 999, 700)],
            "phase `shallow` at 999..=700 comes after timestep 0 -- all timesteps are covered already, remove it",
        ),
    ];
    for (phases, message) in cases {
        assert_eq!(refusal(&phases), message);
    }
}

#[test]
fn parses_counts_in_sampling_order() {
    let parse = |text| Phase::parse(text, &backbones(), 1000);
    assert_eq!(parse("shallow:300,deep:700"), Ok(vec![phase(0, 999, 700), phase(1, 699, 0)]));
    assert_eq!(parse(" deep : 1 , shallow : 999 "), Ok(vec![phase(1, 999, 999), phase(0, 998, 0)]));
    assert_eq!(parse("shallow:0,deep:1000"), Ok(vec![phase(1, 999, 0)]));
    let phases = parse("shallow:300,deep:700").expect("parses");
    assert_eq!(Phase::format(&phases, &backbones()), "shallow:300,deep:700");
}

#[test]
fn refuses_overrides_with_a_mend() {
    let cases = [
        ("", "`` is not a phase -- write BACKBONE:TIMESTEPS, e.g. shallow:300"),
        ("shallow", "`shallow` is not a phase -- write BACKBONE:TIMESTEPS, e.g. shallow:300"),
        ("shallow:300,", "`` is not a phase -- write BACKBONE:TIMESTEPS, e.g. shallow:300"),
        ("shallow:+300,deep:700", "`shallow:+300` is not a phase -- write BACKBONE:TIMESTEPS, e.g. shallow:300"),
        ("shallow:99999999999", "`shallow:99999999999` is not a phase -- write BACKBONE:TIMESTEPS, e.g. shallow:300"),
        ("shalow:300,deep:700", "there is no backbone `shalow` -- did you mean `shallow`?"),
        ("teacher:1000", "there is no backbone `teacher` -- use `shallow` or `deep`"),
        ("shallow:300,deep:600", "the phases count 900 timesteps, the process has 1000 -- for example deep:700"),
        ("shallow:300", "the phases count 300 timesteps, the process has 1000 -- for example add deep:700"),
        ("shallow:4294967295,deep:4294967295", "the phases count 8589934590 timesteps, the process has 1000 -- take some away"),
    ];
    for (text, message) in cases {
        assert_eq!(parse_refusal(text), message);
    }
}
