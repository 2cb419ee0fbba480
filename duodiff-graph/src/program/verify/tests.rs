//! Broken programs, each refused for its reason.

use crate::program::{JoinAxis, Net, Op, Origin, Program, ValueId, VerifyError};
use crate::tests::sketch::Sketch;
use crate::tests::uvit::Uvit;

fn tiny() -> Program {
    Uvit { classes: Some(3), mlp_time: true, qkv_bias: true, ..Uvit::new([3, 8, 8], 4, 16, 2, 3) }.net("tiny").body
}

/// The message about a tiny U-ViT after `breaks` was done to it.
fn message(breaks: impl FnOnce(&mut Program)) -> String {
    let mut program = tiny();
    breaks(&mut program);
    program.verify().unwrap_err().to_string()
}

/// Index of the first operator of that name.
fn find(program: &Program, name: &str) -> usize {
    program.ops.iter().position(|op| op.name() == name).unwrap()
}

/// The first linear, for breaking.
fn linear(program: &mut Program) -> &mut crate::program::Linear {
    let linears = program.ops.iter_mut().filter_map(|op| if let Op::Linear(op) = op { Some(op) } else { None });
    linears.into_iter().next().unwrap()
}

#[test]
fn a_right_program_passes() {
    assert_eq!(tiny().verify(), Ok(()));
}

#[test]
fn refuses_a_read_before_the_write() {
    let found = message(|program| {
        let at = find(program, "norm");
        program.ops.swap(at, at + 1);
    });
    assert!(found.starts_with("operator 9 (linear) reads %") && found.ends_with("before it is written"), "{found}");
}

#[test]
fn refuses_a_second_write() {
    let found = message(|program| {
        let op = program.ops[3].clone();
        program.ops.insert(4, op);
    });
    assert!(found.contains("has its content already"), "{found}");
}

#[test]
fn refuses_writing_an_input() {
    let found = message(|program| {
        let weight = linear(program).weight;
        linear(program).out = weight;
    });
    assert!(found.contains("has its content already"), "{found}");
}

#[test]
fn refuses_an_unknown_value() {
    let found = message(|program| linear(program).sources[0].value = ValueId::new(999));
    assert_eq!(found, "operator 0 (linear) names %999, which the program does not have");
}

#[test]
fn refuses_a_window_outside_its_value() {
    let found = message(|program| linear(program).sources[0].columns = 4..17);
    assert_eq!(
        found,
        "operator 0 (linear) reads %1[0..1, 4..17] of a value of shape [1, 16] -- a window lies inside tokens [rows, columns]"
    );
    let found = message(|program| linear(program).sources[0].rows = 0..0);
    assert!(found.contains("%1[0..0, 0..16]"), "{found}");
}

#[test]
fn refuses_a_wrong_depth() {
    let found = message(|program| linear(program).sources[0].columns = 0..8);
    assert_eq!(found, "operator 0 (linear): weight is [64, 16], [64, 8] wanted");
}

#[test]
fn refuses_a_wrong_bias() {
    let found = message(|program| linear(program).bias = Some(linear(program).weight));
    assert_eq!(found, "operator 0 (linear): bias is [64, 16], [64] wanted");
}

#[test]
fn refuses_a_residual_of_another_shape() {
    let found = message(|program| linear(program).residual = Some(linear(program).sources[0].clone()));
    assert_eq!(found, "operator 0 (linear): residual is [1, 16], [1, 64] wanted");
}

#[test]
fn refuses_a_computed_weight() {
    let mut s = Sketch::new("computed");
    let x = s.table(0, 4, 4);
    let y = s.linear(x, "a", 4, false);
    s.linear(y, "b", 4, false);
    let last = s.program.ops.len() - 1;
    let Op::Linear(op) = &mut s.program.ops[last] else { panic!() };
    op.weight = y;
    assert_eq!(s.program.verify().unwrap_err().to_string(), "operator 1 (linear): weight is computed, a parameter wanted");
}

#[test]
fn refuses_heads_that_do_not_divide_the_width() {
    let found = message(|program| {
        let at = find(program, "attention");
        if let Op::Attention(op) = &mut program.ops[at] {
            op.heads = 3;
        }
    });
    assert!(found.ends_with("heads is 3, a divisor of 16 wanted"), "{found}");
}

#[test]
fn refuses_a_patch_that_does_not_divide_the_image() {
    let found = message(|program| {
        let at = find(program, "patchify");
        if let Op::Patchify(op) = &mut program.ops[at] {
            op.patch = 3;
        }
    });
    assert!(found.ends_with("image is [3, 8, 8], [C, H, W] with sides that 3 divides wanted"), "{found}");
}

#[test]
fn refuses_a_join_of_different_widths() {
    let mut s = Sketch::new("join");
    let (a, b) = (s.table(0, 2, 4), s.table(1, 2, 5));
    s.join(JoinAxis::Rows, &[a, b]);
    assert_eq!(s.program.verify().unwrap_err().to_string(), "operator 0 (join): the other axis of a part is 5, 4 wanted");
}

#[test]
fn refuses_a_shared_value_that_depends_on_an_image() {
    let found = message(|program| {
        let out = linear(program).out;
        program.values[out.index()].origin = Origin::Shared;
    });
    assert!(found.contains("once for all images, but reads %1 of each image"), "{found}");
}

#[test]
fn refuses_an_output_that_nobody_writes() {
    let mut program = tiny();
    program.ops.pop();
    let output = program.outputs[0];
    assert_eq!(program.verify(), Err(VerifyError::Undefined { place: "outputs".into(), value: output }));
}

#[test]
fn refuses_a_parameter_unlike_its_stored_shape() {
    let found = message(|program| {
        let weight = linear(program).weight;
        program.values[weight.index()].shape = vec![64, 15];
    });
    assert!(found.ends_with("has shape [64, 15], which no time_embed.0.weight has"), "{found}");
}

#[test]
fn refuses_a_step_table_that_the_prelude_does_not_compute() {
    let mut s = Sketch::new("table");
    let x = s.table(0, 1, 4);
    let y = s.affine(x, 2.0, 0.0);
    let Net { prelude, body } = s.finish(&[y]);
    let found = Net { prelude, body }.verify().unwrap_err().to_string();
    assert_eq!(found, "%0 [1, 4] is step table 0, for which the prelude computes None");
}

#[test]
fn refuses_a_prelude_that_reads_an_image() {
    let mut s = Sketch::new("prelude");
    let x = s.value(&[1, 2, 2], Origin::Image);
    let Net { body, .. } = s.finish(&[x]);
    let found = Net { prelude: body.clone(), body }.verify().unwrap_err();
    assert_eq!(found, VerifyError::Prelude(x));
}

#[test]
fn a_program_survives_json() {
    let program = tiny();
    let text = serde_json::to_string(&program).unwrap();
    assert_eq!(serde_json::from_str::<Program>(&text).unwrap(), program);
}
