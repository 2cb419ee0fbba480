//! Every prefix of the list of passes leaves the meaning of a network as it was.

use super::{ALL, PassReport, optimize};
use crate::interpret::{Inputs, net as interpret};
use crate::program::{Activation, BinaryFn, JoinAxis, Net, Origin, ValueId};
use crate::tests::sketch::{Sketch, random, random_weights};
use crate::tests::uvit::Uvit;

const BATCH: usize = 2;

/// Checks every prefix on random weights and inputs of images `[3, 8, 8]`, labels below 3.
fn check_every_prefix(net: &Net, seed: u64) -> Vec<PassReport> {
    let weights = random_weights(net, seed);
    let images = random(seed + 1000, BATCH * 3 * 8 * 8);
    let inputs = Inputs { images: &images, times: &[0.3, 7.0], labels: Some(&[2, 0]) };
    let expected = interpret(net, &inputs, &weights).unwrap();
    let largest = expected.iter().fold(0.0_f64, |largest, x| largest.max(x.abs()));
    assert!(largest.is_finite() && largest > 0.0);
    let mut reports = vec![];
    for stop_after in 0..=ALL.len() {
        let mut optimized = net.clone();
        reports = optimize(&mut optimized, Some(stop_after)).unwrap();
        let found = interpret(&optimized, &inputs, &weights).unwrap();
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(&expected) {
            let last = stop_after.checked_sub(1).map_or("none", |last| ALL[last].name);
            assert!((found - expected).abs() <= 1e-12 * largest, "after {last}: {found} {expected}\n{net}\n{optimized}");
        }
    }
    reports
}

fn fused(reports: &[PassReport], pass: &str) -> usize {
    reports.iter().find(|report| report.pass == pass).unwrap().fused
}

#[test]
fn uvits_keep_their_meaning() {
    let uvit = Uvit::new([3, 8, 8], 2, 16, 2, 5);
    for uvit in [
        uvit,
        Uvit { classes: Some(3), ..uvit },
        Uvit { mlp_time: true, qkv_bias: true, conv: false, depth: 1, ..uvit },
        Uvit { mlp_time: true, classes: Some(3), depth: 3, ..uvit },
    ] {
        check_every_prefix(&uvit.net("uvit"), 1);
    }
}

#[test]
fn a_uvit_fuses_as_designed() {
    let reports = check_every_prefix(&Uvit { mlp_time: true, classes: Some(3), ..Uvit::new([3, 8, 8], 2, 32, 4, 5) }.net("uvit"), 2);
    let counts = ALL.iter().map(|pass| (pass.name, fused(&reports, pass.name))).collect::<Vec<_>>();
    let expected = [
        ("fold_joins", 1),
        ("dead_rows", 11),
        // q, k and v of five blocks, and the patches' rows.
        ("read_in_place", 16),
        ("step_tables", 1),
        // Two of each block, and the last.
        ("norm_into_linear", 11),
        // Two skip connections.
        ("join_into_linear", 2),
        ("bias", 0),
        // Five blocks, and the time MLP.
        ("activation", 6),
        ("residual", 10),
        ("dead_code", 0),
    ];
    assert_eq!(counts, expected);
}

/// The fused program of a small U-ViT, pinned.
#[test]
fn a_fused_uvit_reads_well() {
    let mut net = Uvit { mlp_time: true, ..Uvit::new([3, 8, 8], 4, 16, 2, 3) }.net("tiny");
    optimize(&mut net, None).unwrap();
    let expected = include_str!("fused_uvit.txt");
    assert_eq!(net.to_string(), expected.trim_end());
}

#[test]
fn a_wrong_program_is_named_after_its_stage() {
    let mut net = Uvit::new([3, 8, 8], 4, 16, 2, 1).net("wrong");
    net.body.ops.swap(0, 1);
    let error = optimize(&mut net, None).unwrap_err();
    assert_eq!(error.pass, "raise");
    assert!(error.to_string().starts_with("after pass raise: operator 0 (linear) reads %"), "{error}");
}

/// A random stream of small numbers.
struct Dice(std::vec::IntoIter<f32>);

impl Dice {
    fn below(&mut self, count: usize) -> usize {
        let roll = f64::from(self.0.next().unwrap()) * 0.5 + 0.5;
        ((roll * count as f64) as usize).min(count - 1)
    }

    fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

/// A random program over tokens of 1 or 5 rows and 4 or 8 columns.
fn random_net(seed: u64) -> Net {
    let mut dice = Dice(random(seed, 1000).into_iter());
    let mut s = Sketch::new("random");
    let image = s.value(&[3, 8, 8], Origin::Image);
    let label = s.value(&[], Origin::Label);
    let time = s.value(&[1, 8], Origin::Sinusoid);
    let patches = s.patchify(image, 4);
    let patches = s.linear(patches, "patches", 8, true);
    let class = s.embedding(label, "class", 3, 8);
    let mut tokens = vec![time, class, patches];
    for step in 0..14 {
        // Mostly the latest values: chains are what passes rewrite.
        let recent = dice.pick(&[1, 1, 3, tokens.len()]);
        let x = dice.pick(&tokens[tokens.len() - recent..]);
        let y = random_op(&mut s, &mut dice, &tokens, x, &format!("op{step}"));
        tokens.push(y);
    }
    let last = tokens[tokens.len() - 1];
    let out = s.linear(last, "out", 3 * 16, true);
    let out = if s.whole(out).rows.len() == 1 { s.add(out, out) } else { out };
    let rows = s.whole(out).rows.len();
    let start = dice.below(rows);
    let end = start + 1 + dice.below(rows - start);
    let out = s.rows(out, start..end);
    s.finish(&[out])
}

/// Values of the same shape as x.
fn alike(s: &Sketch, tokens: &[ValueId], x: ValueId) -> Vec<ValueId> {
    tokens.iter().copied().filter(|token| s.whole(*token).shape() == s.whole(x).shape()).collect()
}

fn random_op(s: &mut Sketch, dice: &mut Dice, tokens: &[ValueId], x: ValueId, key: &str) -> ValueId {
    let [rows, columns] = s.whole(x).shape();
    let other = dice.pick(&alike(s, tokens, x));
    match dice.below(12) {
        0 => {
            let width = dice.pick(&[4, 8]);
            s.linear(x, key, width, false)
        }
        1 => {
            let product = s.linear(x, key, columns, false);
            let row = s.param(&format!("{key}.row"), &[1, columns]);
            s.add(product, row)
        }
        2 => s.norm(x, key),
        3 => s.plain_norm(x),
        4 => {
            let f = dice.pick(&[Activation::Gelu, Activation::GeluTanh, Activation::Silu]);
            s.activate(x, f)
        }
        5 => s.add(x, other),
        6 => {
            let f = dice.pick(&[BinaryFn::Add, BinaryFn::Mul]);
            let row = s.param(key, &[1, columns]);
            s.binary(f, x, row)
        }
        7 => {
            let as_wide: Vec<_> = tokens.iter().copied().filter(|token| s.whole(*token).columns.len() == columns).collect();
            let below = dice.pick(&as_wide);
            s.join(JoinAxis::Rows, &[x, below])
        }
        8 => {
            let joined = s.join(JoinAxis::Columns, &[x, other]);
            s.linear(joined, key, 8, true)
        }
        9 if rows > 1 => s.rows(x, 1..rows),
        10 => {
            let packed = s.linear(x, key, 3 * 8, true);
            let [q, k, v] = [0, 1, 2].map(|i| s.columns(packed, 8 * i..8 * (i + 1)));
            s.attention(q, k, v, 2)
        }
        11 => s.softmax(x),
        _ => s.affine(x, 0.5, 0.25),
    }
}

#[test]
fn random_programs_keep_their_meaning() {
    let mut fused_by_pass = vec![0; ALL.len()];
    for seed in 0..300 {
        let reports = check_every_prefix(&random_net(seed), seed);
        for (count, report) in fused_by_pass.iter_mut().zip(&reports) {
            *count += report.fused;
        }
    }
    assert!(fused_by_pass.iter().all(|count| *count > 0), "{fused_by_pass:?}");
}
