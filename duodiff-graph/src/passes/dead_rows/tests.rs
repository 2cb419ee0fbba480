//! Slices of rows move up, and stop where others need all rows.

use super::run;
use crate::program::{JoinAxis, Net, Op, Origin, ValueId};
use crate::tests::sketch::Sketch;
use crate::tests::uvit::Uvit;

fn rows_of(net: &Net, id: ValueId) -> usize {
    net.body.value(id).shape[0]
}

#[test]
fn a_slice_moves_up_through_row_wise_operators() {
    let mut s = Sketch::new("rows");
    let x = s.table(0, 6, 4);
    let n = s.norm(x, "norm");
    let y = s.linear(n, "fc", 4, true);
    let z = s.add(x, y);
    let out = s.rows(z, 2..5);
    let mut net = s.finish(&[out]);
    assert_eq!(run(&mut net).fused, 3);
    assert_eq!([n, y, z, out].map(|id| rows_of(&net, id)), [3, 3, 3, 3]);
    let Op::Norm(norm) = &net.body.ops[0] else { panic!("{}", net.body) };
    assert_eq!(norm.x.rows, 2..5);
    assert_eq!(net.body.verify(), Ok(()));
}

#[test]
fn attention_drops_queries_but_not_keys() {
    let mut s = Sketch::new("attention");
    let x = s.table(0, 6, 4);
    let [q, k, v] = ["q", "k", "v"].map(|key| s.linear(x, key, 4, false));
    let a = s.attention(q, k, v, 2);
    let out = s.rows(a, 0..4);
    let mut net = s.finish(&[out]);
    run(&mut net);
    assert_eq!([q, k, v, a].map(|id| rows_of(&net, id)), [4, 6, 6, 4]);
}

#[test]
fn the_last_block_of_a_uvit_computes_patches_only() {
    let mut net = Uvit::new([3, 8, 8], 2, 16, 2, 3).net("uvit");
    let found = run(&mut net);
    // decoder_pred, norm, both sums, fc2, gelu, fc1, norm2, proj, attention and the slice that copies q.
    assert_eq!(found.fused, 11);
    let reason = "another operator reads the rows that this one's reader drops";
    assert!(found.refused.iter().all(|refusal| refusal.reason == reason));
    assert_eq!(found.refused.len(), 2, "qkv and skip_linear: {:?}", found.refused);
}

#[test]
fn a_join_keeps_the_parts_that_are_read() {
    let mut s = Sketch::new("join");
    let (a, b, c) = (s.table(0, 2, 4), s.table(1, 3, 4), s.table(2, 4, 4));
    let j = s.join(JoinAxis::Rows, &[a, b, c]);
    let out = s.rows(j, 3..7);
    let mut net = s.finish(&[out]);
    assert_eq!(run(&mut net).fused, 1);
    let Op::Join(join) = &net.body.ops[0] else { panic!("{}", net.body) };
    let parts: Vec<_> = join.parts.iter().map(|part| (part.value, part.rows.clone())).collect();
    assert_eq!(parts, [(b, 1..3), (c, 0..2)]);
}

#[test]
fn a_join_with_one_part_left_is_a_slice() {
    let mut s = Sketch::new("one");
    let (a, b) = (s.table(0, 2, 4), s.table(1, 3, 4));
    let j = s.join(JoinAxis::Rows, &[a, b]);
    let out = s.rows(j, 3..5);
    let mut net = s.finish(&[out]);
    run(&mut net);
    assert!(matches!(&net.body.ops[0], Op::Slice(slice) if slice.x.value == b && slice.x.rows == (1..3)));
    assert_eq!(net.body.verify(), Ok(()));
}

#[test]
fn refuses_when_another_reader_needs_all_rows() {
    let mut s = Sketch::new("all");
    let x = s.table(0, 6, 4);
    let y = s.linear(x, "fc", 4, true);
    let part = s.rows(y, 1..6);
    let all = s.affine(y, 2.0, 0.0);
    let mut net = s.finish(&[part, all]);
    let found = run(&mut net);
    assert_eq!((found.fused, found.refused[0].reason), (0, "another operator reads the rows that this one's reader drops"));
    assert_eq!(rows_of(&net, y), 6);
}

#[test]
fn refuses_what_does_not_work_row_by_row() {
    let mut s = Sketch::new("patchify");
    let image = s.value(&[1, 8, 8], Origin::Image);
    let x = s.patchify(image, 2);
    let out = s.rows(x, 1..6);
    let found = run(&mut s.finish(&[out]));
    assert_eq!((found.fused, found.refused[0].reason), (0, "it does not work row by row"));
}
