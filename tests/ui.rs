//! A handful of refusals as the compiler shows them; all others are tested inside `duodiff-macros`.

#[test]
fn refusals_look_like_compiler_errors() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
