//! The whole way from luminal's primitives to a plan, held against PyTorch's outputs.

use super::{CompileError, Options, compile, primitives};
use crate::Pair;
use crate::build::{self, Bias, Builder, Built, Tokens};
use crate::interpret::{Inputs, net as interpret};
use crate::null;
use crate::plan::PlanError;
use crate::spec::PairSpec;
use crate::tests::golden::tensors;
use crate::tests::pairs::spec;
use crate::tests::uvit::Uvit;

/// The golden case `uncond`: image [3, 8, 8], patch 2, width 32, 4 heads, 3 and 5 blocks.
struct Uncond;

const DEPTHS: [usize; 2] = [3, 5];

impl Pair for Uncond {
    fn spec(&self) -> PairSpec {
        spec([3, 8, 8], None)
    }

    fn build(&self, backbone: usize) -> Built {
        build_uvit(&self.spec().backbones[backbone].name, DEPTHS[backbone])
    }
}

type X = Tokens<17, 32>;

fn build_uvit(name: &str, depth: usize) -> Built {
    let mut b = Builder::new(name);
    let image = b.image::<3, 8, 8>();
    let patches = build::patch_embed::<3, 8, 8, 2, 4, 4, 16, 12, 32>(&mut b, &image, "patch_embed.proj");
    let time = b.sinusoid::<32>();
    let positions = b.param::<17, 32>("pos_embed", &[1, 17, 32]);
    let mut x = build::add(&build::join_tokens::<1, 16, 17, 32>(&time, &patches), &positions);
    let mut skips = vec![];
    for i in 0..depth / 2 {
        x = block(&mut b, &x, &format!("in_blocks.{i}"));
        skips.push(x.clone());
    }
    x = block(&mut b, &x, "mid_block");
    for i in 0..depth / 2 {
        let joined = build::join_features::<17, 32, 32, 64>(&x, &skips.pop().unwrap());
        x = build::linear::<17, 64, 32>(&mut b, &joined, &format!("out_blocks.{i}.skip_linear"), Bias::With);
        x = block(&mut b, &x, &format!("out_blocks.{i}"));
    }
    let x = build::norm_affine(&mut b, &x, "norm", 1e-5);
    let x = build::linear::<17, 32, 12>(&mut b, &x, "decoder_pred", Bias::With);
    let x = build::unpatchify::<16, 12, 3, 8, 8, 2, 4, 4>(&build::rows::<17, 12, 16>(&x, 1));
    let x = build::conv3x3::<3, 8, 8, 10, 10, 64, 27, 3>(&mut b, &x, "final_layer");
    b.finish(&x)
}

fn block(b: &mut Builder, x: &X, key: &str) -> X {
    let a = build::norm_affine(b, x, &format!("{key}.norm1"), 1e-5);
    let a = build::linear::<17, 32, 96>(b, &a, &format!("{key}.attn.qkv"), Bias::Without);
    let [q, k, v] = [0, 32, 64].map(|start| build::columns::<17, 96, 32>(&a, start));
    let a = build::attention::<17, 17, 32, 4, 8>(&q, &k, &v);
    let x = build::add(x, &build::linear::<17, 32, 32>(b, &a, &format!("{key}.attn.proj"), Bias::With));
    let m = build::norm_affine(b, &x, &format!("{key}.norm2"), 1e-5);
    let m = build::gelu(&build::linear::<17, 32, 128>(b, &m, &format!("{key}.mlp.fc1"), Bias::With));
    build::add(&x, &build::linear::<17, 128, 32>(b, &m, &format!("{key}.mlp.fc2"), Bias::With))
}

#[test]
fn every_prefix_of_the_passes_agrees_with_pytorch() {
    let cases = tensors("uncond.cases.safetensors").tensors;
    let inputs = Inputs { images: &cases["x"].data, times: &[0.999, 0.137], labels: None };
    for stop_after in (0..crate::passes::ALL.len()).map(Some).chain([None]) {
        let compiled = compile(&Uncond, &Options { stop_after }).unwrap();
        null::run(&compiled.plan, 5).unwrap();
        for backbone in &compiled.plan.backbones {
            let name = &backbone.net.body.name;
            let out = interpret(&backbone.net, &inputs, &tensors(&format!("uncond.{name}.safetensors"))).unwrap();
            let expected = &cases[&format!("eps.{name}")].data;
            let worst = out.iter().zip(expected).map(|(found, expected)| (found - f64::from(*expected)).abs()).fold(0.0, f64::max);
            assert!(out.len() == expected.len() && worst < 3e-6, "{name}, {stop_after:?}: {worst}");
        }
    }
}

/// The optimized program has the shape that the passes give the hand-written one, and the same cost.
#[test]
fn what_is_raised_is_optimized_like_what_is_written_by_hand() {
    let compiled = compile(&Uncond, &Options::default()).unwrap();
    for ((planned, stages), depth) in compiled.plan.backbones.iter().zip(&compiled.backbones).zip(DEPTHS) {
        assert_eq!(stages.raised.report.left, []);
        let mut by_hand = Uvit::new([3, 8, 8], 2, 32, 4, depth).net(&planned.net.body.name);
        assert_eq!(planned.cost, by_hand.cost());
        crate::passes::optimize(&mut by_hand, None).unwrap();
        assert_eq!(without_ids(&planned.net.body.to_string()), without_ids(&by_hand.body.to_string()));
        assert_eq!(planned.net.prelude.to_string(), by_hand.prelude.to_string());
    }
}

/// Operators without the numbers of values; inputs are left out, since they may be declared in any order.
fn without_ids(text: &str) -> Vec<String> {
    let blank = |line: &str| line.split('%').map(|part| part.trim_start_matches(|c: char| c.is_ascii_digit())).collect();
    text.lines().filter(|line| line.contains('(') || line.contains("return")).map(blank).collect()
}

#[test]
fn the_graph_as_built_is_all_primitives() {
    let program = primitives(&Uncond, 0).unwrap();
    assert!(program.ops.len() > 300, "{}", program.ops.len());
    assert!(program.to_string().lines().all(|line| !line.contains('(') || line.contains("primitive ")), "{program}");
}

/// A pair that declares another image than its backbones read.
struct Wrong;

impl Pair for Wrong {
    fn spec(&self) -> PairSpec {
        spec([3, 8, 10], None)
    }

    fn build(&self, backbone: usize) -> Built {
        Uncond.build(backbone)
    }
}

#[test]
fn refuses_backbones_of_another_image() {
    let error = compile(&Wrong, &Options::default()).unwrap_err();
    assert!(matches!(error, CompileError::Plan(PlanError::Image { .. })), "{error}");
}
