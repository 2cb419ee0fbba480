//! The text form, pinned.

use crate::program::{Axis, Op, Primitive, PrimitiveFn, View};
use crate::tests::sketch::Sketch;
use crate::tests::uvit::Uvit;

#[test]
fn a_whole_program_reads_well() {
    let text = Uvit { classes: Some(11), ..Uvit::new([3, 8, 8], 4, 16, 2, 1) }.net("tiny").to_string();
    let expected = r#"tiny
  %0 [3, 8, 8] = image
  %1 [1, 16] = sinusoid
  %2 [] = label
  %4 [1, 16] = embedding(%2, "label_emb.weight")
  %5 [4, 48] = patchify(%0, patch 4)
  %8 [4, 16] = linear(%5, weight "patch_embed.proj.weight", bias "patch_embed.proj.bias")
  %9 [2, 16] = join_rows(%4, %1)
  %10 [6, 16] = join_rows(%9, %8)
  %12 [6, 16] = add(%10, "pos_embed")
  %15 [6, 16] = norm(%12, norm 1e-5 gain "mid_block.norm1.weight" shift "mid_block.norm1.bias")
  %17 [6, 48] = linear(%15, weight "mid_block.attn.qkv.weight")
  %18 [6, 16] = slice(%17[.., 0..16])
  %19 [6, 16] = slice(%17[.., 16..32])
  %20 [6, 16] = slice(%17[.., 32..48])
  %21 [6, 16] = attention(q %18, k %19, v %20, heads 2, scale 0.35355338)
  %24 [6, 16] = linear(%21, weight "mid_block.attn.proj.weight", bias "mid_block.attn.proj.bias")
  %25 [6, 16] = add(%12, %24)
  %28 [6, 16] = norm(%25, norm 1e-5 gain "mid_block.norm2.weight" shift "mid_block.norm2.bias")
  %31 [6, 64] = linear(%28, weight "mid_block.mlp.fc1.weight", bias "mid_block.mlp.fc1.bias")
  %32 [6, 64] = gelu(%31)
  %35 [6, 16] = linear(%32, weight "mid_block.mlp.fc2.weight", bias "mid_block.mlp.fc2.bias")
  %36 [6, 16] = add(%25, %35)
  %39 [6, 16] = norm(%36, norm 1e-5 gain "norm.weight" shift "norm.bias")
  %42 [6, 48] = linear(%39, weight "decoder_pred.weight", bias "decoder_pred.bias")
  %43 [4, 48] = slice(%42[2..6, ..])
  %44 [3, 8, 8] = unpatchify(%43, patch 4)
  %47 [3, 8, 8] = conv3x3(%44, weight "final_layer.weight", bias "final_layer.bias")
  return %47"#;
    assert_eq!(text, expected);
}

#[test]
fn views_of_primitives_read_well() {
    let mut s = Sketch::new("view");
    let x = s.table(0, 4, 6);
    let out = s.value(&[3, 5], crate::program::Origin::Op);
    let axis = |length| Axis { length, broadcast: false, padding: (0, 0), slice: None };
    let axes = vec![axis(None), Axis { padding: (0, 1), ..axis(Some(4)) }, Axis { slice: Some((2, 5)), ..axis(Some(6)) }];
    let view = View { value: x, axes, order: vec![0, 2, 1] };
    let op = Op::Primitive(Primitive { f: PrimitiveFn::Contiguous, inputs: vec![view], out });
    assert_eq!(s.program.text_of(&op), "%1 [3, 5] = primitive contiguous(%0(b 6[2..5] 4+(0, 1)) @[0, 2, 1])");
    s.program.ops.push(op);
    assert_eq!(s.program.verify(), Ok(()));
}
