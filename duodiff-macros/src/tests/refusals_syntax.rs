//! Refusals of what cannot be read: every statement and key by itself.

use super::base::{Case, check};

#[test]
fn refuses_statements() {
    check(&[
        Case("let time = sinusoid(t, dim);", "let time «sinusoid»(t, dim);", &["found `sinusoid` -- write `=` before it"]),
        Case("let time = sinusoid(t, dim);\n    let", "let time = sinusoid(t, dim)\n    «let»", &["found `let` -- write `;` before it"]),
        Case("let time = sinusoid(t, dim);", "let time = «;»", &["found `;` where a value belongs -- write a name, a number or a call"]),
        Case(
            "0..depth / 2 {\n        x = block(x) @ \"in",
            "0«.».=depth / 2 {\n        x = block(x) @ \"in",
            &["the range of a for leaves out its end -- use `..`"],
        ),
        Case("@ \"in.{i}\"", "@ «in»", &["found `in` where a checkpoint key belongs -- write a string, e.g. \"mlp.fc1\""]),
        Case("@ \"in.{i}\"", "@ «\"in.{i\"»", &["the key opens a brace that it never closes -- write `}` behind the name"]),
        Case("@ \"in.{i}\"", "@ «\"in..{i}\"»", &["the key has an empty part -- write one dot between two names, none at the ends"]),
        Case("@ \"in.{i}\"", "@ «\"in {i}\"»", &["a key has letters, digits, `_`, `-`, dots and {names} -- remove anything else"]),
        Case("@ \"in.{i}\"", "@ «\"\"»", &["the key is empty -- write the parameter's name in the checkpoint"]),
        Case(
            "x = block(x, pop())",
            "«fn» f(x) { x } x = block(x, pop())",
            &["a fn stands directly in the arch -- move it out of this block"],
        ),
        Case(
            "else { time }",
            "else { time «@» \"x\" }",
            &["a checkpoint key belongs to a call -- write it directly behind the call's `)`"],
        ),
        Case(
            "x = block(x) @ \"mid\"",
            "«return» block(x) @ \"mid\"",
            &["the last expression is the value -- remove `return` and the semicolon behind its value"],
        ),
    ]);
}

#[test]
fn reports_every_broken_statement_and_nothing_that_follows_from_it() {
    check(&[Case(
        "let time = sinusoid(t, dim);\n    let extras = if label { join_tokens(",
        "let time = sinusoid(t «dim»); let y «;»\n    let extras = if label { join_tokens(«;» ",
        &[
            "found `dim` -- write a comma before it",
            "found `;` -- write `=` before it",
            "found `;` where a value belongs -- write a name, a number or a call",
        ],
    )]);
}
