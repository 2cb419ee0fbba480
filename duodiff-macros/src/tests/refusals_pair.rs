//! Refusals of a pair's keys.

use super::base::{Case, blames, check};

#[test]
fn refuses_keys() {
    check(&[
        Case("image: [3, 4, 4],", "«imge»: [3, 4, 4],", &["`imge` is no key of a pair -- did you mean `image`"]),
        Case(
            "    image: [3, 4, 4],\n",
            "    image: [3, 4, 4],\n«image»: [3, 4, 4],\n",
            &["`image` is given twice -- remove one of the two"],
        ),
        Case("time: t / 1000,", "time «=» t / 1000,", &["a key of a pair is followed by a colon -- use `:`"]),
        Case("time: t / 1000,", "time: t / 1000 «predicts»: epsilon,", &["found `predicts` -- write a comma before it"]),
        Case("image: [3, 4, 4],", "image: «[»3, 4],", &["an image has 3 sizes, found 2 -- write [channels, height, width]"]),
        Case("image: [3, 4, 4],", "image: [3, «0», 4],", &["an image has no size 0 -- use an integer from 1 to 16384"]),
        Case("image: [3, 4, 4],", "image: [3, 4, «4.0»],", &["found 4.0 where an integer belongs -- write one"]),
        Case("image: [3, 4, 4],", "image: «3»,", &["found `3` -- write [channels, height, width]"]),
        Case("    predicts: epsilon,\n", "predicts: «eps»,", &["`eps` is no prediction -- use `epsilon`"]),
        Case("    predicts: epsilon,\n", "predicts: «epsilom»,", &["`epsilom` is no prediction -- did you mean `epsilon`"]),
        Case("    history: restart,\n", "history: «keep»,", &["`keep` is no way with the history -- use one of `carry`, `restart`"]),
        Case(
            "pub pair Sound {\n    arch: tiny(dim = 8),",
            "pub pair «Sound» {",
            &["the pair `Sound` says nothing of `arch` -- add e.g. arch: duodiff::uvit(dim = 512, heads = 8, patch = 2)"],
        ),
    ]);
}

#[test]
fn refuses_processes_and_times() {
    check(&[
        Case("linear_betas(1e-4", "«linear_beta»(1e-4", &["`linear_beta` is no process -- did you mean `linear_betas`"]),
        Case(
            "linear_betas(1e-4, 2e-2, 1000)",
            "«cosine_betas»(1e-4, 2e-2, 1000)",
            &["`cosine_betas` does not take 3 numbers -- use e.g. cosine_betas(1000)"],
        ),
        Case(
            "linear_betas(1e-4, 2e-2, 1000)",
            "linear_betas(«2e-2», 1e-4, 1000)",
            &["betas grow with the timestep, found 0.02 to 0.0001 -- swap the two"],
        ),
        Case(
            "linear_betas(1e-4, 2e-2, 1000)",
            "linear_betas(1e-4, «20», 1000)",
            &["a beta cannot be 20 -- use a number between 0 and 1, e.g. 1e-4"],
        ),
        Case(
            "linear_betas(1e-4, 2e-2, 1000)",
            "linear_betas(1e-4, 2e-2, «1e3»)",
            &["a process does not have 1000.0 timesteps -- use an integer from 1 to 1000000, e.g. 1000"],
        ),
        Case(
            "linear_betas(1e-4, 2e-2, 1000)",
            "linear_betas(1e-4, 2e-2, «0»)",
            &["a process does not have 0 timesteps -- use an integer from 1 to 1000000, e.g. 1000"],
        ),
        Case("t / 1000", "«s» / 1000", &["this is not the timestep -- write `t`, times a number, over a number, plus a number"]),
        Case("t / 1000", "t / «0»", &["the network would be fed no time -- use a number other than zero"]),
        Case(
            "t / 1000",
            "t «%» 1000",
            &["time is no longer linear in this form -- write `t`, times a number, over a number, plus a number"],
        ),
        Case("t / 1000", "«(»t + 1) / 1000", &["this is not the timestep -- write `t`, times a number, over a number, plus a number"]),
    ]);
}

#[test]
fn refuses_classes_and_guidance() {
    check(&[
        Case("    null_label: 10,\n", "    null_label: «11»,\n", &["the null label 11 is none of the labels 0..=10 -- use 10"]),
        Case("    null_label: 10,\n", "    null_label: -«1»,\n", &["the null label -1 is none of the labels 0..=10 -- use 10"]),
        Case(
            "    classes: 11,\n    null_label: 10,\n    guidance: 0.5,\n",
            "    «null_label»: 10,\n",
            &["a null label without classes -- add e.g. classes: 1001, or remove this key"],
        ),
        Case(
            "    classes: 11,\n    null_label: 10,\n    guidance: 0.5,\n",
            "    «guidance»: 0.5,\n",
            &["guidance without classes -- add classes: … and null_label: …, or remove this key"],
        ),
        Case(
            "    null_label: 10,\n    guidance",
            "    «guidance»",
            &["guidance without a null label -- add e.g. null_label: 1000, or remove this key"],
        ),
        Case(
            "    guidance: 0.5",
            "    guidance: -«0.5»",
            &["guidance -0.5 leads away from the class -- use 0 (unguided) or more; diffusers' scale is 1 more"],
        ),
        Case(
            "    classes: 11,\n    null_label: 10,\n    guidance: 0.5,\n",
            "    classes: «0»,\n",
            &["there cannot be 0 classes -- use 1 or more, the null label included"],
        ),
    ]);
}

#[test]
fn refuses_backbones() {
    check(&[
        Case(
            "shallow: depth = 1, deep: depth = 3",
            "shallow: depth = 1, «shallow»: depth = 3, deep: depth = 3",
            &["there is a backbone `shallow` already -- name this one otherwise"],
        ),
        Case(
            "backbones: { shallow: depth = 1, deep: depth = 3 },\n    phases: { shallow: 999..=700, deep: 699..=0 }",
            "«backbones»: { deep: depth = 3 },\n    phases: { deep: 999..=0 }",
            &["a pair has two backbones or more, found one -- add e.g. deep: depth = 13"],
        ),
        Case("deep: depth = 3", "deep: «dept» = 3", &["the arch `tiny` has no parameter `dept` -- did you mean `depth`"]),
        Case("deep: depth = 3", "«deep»: dim = 16", &["the arch `tiny` needs `depth` -- add depth = …"]),
        Case("deep: depth = 3", "deep: depth = 3, «depth» = 5", &["the parameter `depth` is given twice -- remove one of the two"]),
        Case(
            "deep: depth = 3",
            "deep: depth = 3, «image» = [3, 8, 8]",
            &["the backbones of a pair share `image` -- move it to the pair, or declare another pair"],
        ),
        Case(
            "deep: depth = 3",
            "deep: depth = 3, «predicts» = v",
            &["the backbones of a pair share `predicts` -- move it to the pair, or declare another pair"],
        ),
        Case(
            "deep: depth = 3",
            "deep: depth = 3, «classes» = 12",
            &["the backbones of a pair share `classes` -- move it to the pair, or declare another pair"],
        ),
        Case(
            "deep: depth = 3",
            "deep: depth = 3, «process» = cosine_betas(1000)",
            &["`deep` was trained on another process than the pair's -- add `match = snr`, or remove `process`"],
        ),
        Case(
            "deep: depth = 3",
            "deep: depth = 3, «time» = t",
            &["`deep` is fed another time than the pair's -- add `match = snr`, or remove `time`"],
        ),
        Case(
            "deep: depth = 3",
            "deep: depth = 3, «match» = snr",
            &["`deep` has the pair's process and time -- remove `match`, or add `process = …`"],
        ),
        Case("deep: depth = 3", "deep: depth = 3, time = t, match = «sigma»", &["backbones are not matched by `sigma` -- use `snr`"]),
        Case("deep: depth = 3", "deep: depth = 3, bias = «1»", &["the parameter `bias` is true or false, found 1 -- use e.g. false"]),
        Case(
            "shallow: depth = 1, deep: depth = 3 ",
            "«depth» = 1, deep: depth = 3 ",
            &["`depth` belongs to no backbone -- write the backbone's name and a colon first"],
        ),
        Case(
            "arch: tiny(dim = 8)",
            "arch: tiny(dim = 8, «head» = 4)",
            &["the arch `tiny` has no parameter `head` -- did you mean `heads`"],
        ),
        Case("arch: tiny(dim = 8)", "arch: «tiny»", &["the arch `tiny` needs `dim` -- add dim = …"]),
    ]);
}

#[test]
fn refuses_phases() {
    check(&[
        Case("deep: 699..=0", "deep: «698»..=0", &["timestep 699 is in no phase -- use 699"]),
        Case("deep: 699..=0", "deep: «700»..=0", &["timestep 700 is in a phase already -- use 699"]),
        Case("deep: 699..=0", "deep: 699..=«1»", &["timestep 0 is in no phase -- end here at 0, or add a phase 0..=0"]),
        Case("deep: 699..=0", "deep: 699..=-«1»", &["there is no timestep -1 -- use 0"]),
        Case("deep: 699..=0", "deep: «0»..=699", &["0..=699 ascends, sampling goes down -- use 699..=0"]),
        Case("deep: 699..=0", "deep: 699«.».0", &["both ends of a phase are evaluated -- use `..=`"]),
        Case(
            "shallow: 999..=700, deep: 699..=0",
            "shallow: «300», deep: «700»",
            &[
                "a phase is a range of timesteps, no count -- write first..=last, e.g. 999..=700",
                "a phase is a range of timesteps, no count -- write first..=last, e.g. 999..=700",
            ],
        ),
        Case("shallow: 999..=700", "shallow: «0.3»", &["a phase is a range of timesteps -- write first..=last, e.g. 999..=700"]),
        Case("shallow: 999..=700", "shallow: «1000»..=700", &["there is no timestep 1000 in a process of 1000 -- use 999"]),
        Case("shallow: 999..=700", "shallow: «998»..=700", &["timestep 999 is in no phase -- use 999"]),
        Case("deep: 699..=0", "«dep»: 699..=0", &["no backbone is named `dep` -- did you mean `deep`"]),
        Case("deep: 699..=0", "deep: 699..=0, shallow: «5»..=0", &["every timestep has a phase already -- remove this one"]),
        Case(
            "phases: { shallow: 999..=700, deep: 699..=0 }",
            "«phases»: {}",
            &["there are no phases -- name at least one, e.g. shallow: 999..=0"],
        ),
    ]);
}

#[test]
fn reports_all_mistakes_together_and_each_once() {
    check(&[
        Case(
            "predicts: epsilon,\n    classes: 11,\n    null_label: 10,\n    guidance: 0.5,\n    backbones: { shallow: depth = 1, deep: depth = 3 },\n    phases: { shallow: 999..=700, deep: 699..=0 },\n    history: restart",
            "predicts: «noise»,\n    classes: 11,\n    null_label: «11»,\n    guidance: 0.5,\n    backbones: { shallow: depth = 1, heads = «3», deep: depth = 3 },\n    phases: { shallow: 999..=700, deep: «698»..=0 },\n    history: «drop»",
            &[
                "`noise` is no prediction -- use `epsilon`",
                "the null label 11 is none of the labels 0..=10 -- use 10",
                "in `Sound` (`shallow`): 3 heads do not divide the width 8 -- use one of 1, 2, 4, 8",
                "timestep 699 is in no phase -- use 699",
                "`drop` is no way with the history -- use one of `carry`, `restart`",
            ],
        ),
        Case("linear_betas(1e-4, 2e-2, 1000)", "«linear»(1e-4, 2e-2, 1000)", &["`linear` is no process -- did you mean `linear_betas`"]),
    ]);
}

const LABELS: &str = "pub arch a(image, t, label; dim) { conv3x3(image) @ \"c\" }";
const NO_LABELS: &str = "pub arch a(image, t; dim) { conv3x3(image) @ \"c\" }";
const PAIR: &str = "pub pair P { arch: a(dim = 2), image: [1, 2, 2], process: cosine_betas(10), time: t, predicts: v, \
                    backbones: { x: , y: dim = 4 }, phases: { x: 9..=5, y: 4..=0 }";

#[test]
fn arch_and_pair_agree_about_labels() {
    let says = |arch: &str, classes: &str| -> Vec<(String, String)> {
        blames(&format!("{arch}\n{PAIR} {classes} }}")).into_iter().map(|(_, _, token, message)| (token, message)).collect()
    };
    assert_eq!(says(NO_LABELS, ""), []);
    let no_classes = "the arch `a` needs a label, and the pair has no classes -- add e.g. classes: 10";
    assert_eq!(says(LABELS, ""), [("a".into(), no_classes.into())]);
    let no_input = "the arch `a` has no input `label` -- remove this key, or use an arch with labels";
    assert_eq!(says(NO_LABELS, ", classes: 10"), [("classes".into(), no_input.into())]);
    let unused = "the arch `a` never looks at the label -- embed it, or remove this key";
    assert_eq!(says(LABELS, ", classes: 10"), [("classes".into(), unused.into())]);
}
