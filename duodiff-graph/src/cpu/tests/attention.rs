//! Attention at ragged shapes against float64 loops.

use super::case::{Case, window};
use crate::cpu::kernels::near::FAR;
use crate::program::*;

fn check(queries: usize, keys: usize, heads: usize, width: usize, scale: f32) {
    let columns = heads * width;
    let mut case = Case::new();
    // k and v are windows of one value, as in a packed qkv; q is another's.
    let (left, right) = (case.input(queries + 1, columns + 2), case.input(keys, 2 * columns));
    let q = Operand { value: left, rows: 1..queries + 1, columns: 2..columns + 2 };
    let [k, v] = [0, 1].map(|i| Operand { value: right, rows: 0..keys, columns: i * columns..(i + 1) * columns });
    let out = case.out(&[queries, columns]);
    case.finish(Op::Attention(Attention { q: q.clone(), k: k.clone(), v: v.clone(), heads, scale, out }));
    // Scores are rounded to float32, so the error grows with them.
    case.check(3e-6 * f64::from(scale).abs().max(1.0), |inputs, _| {
        let q = window(&inputs[0], columns + 2, &q);
        let [k, v] = [&k, &v].map(|operand| window(&inputs[1], 2 * columns, operand));
        let mut wanted = vec![0.0; queries * columns];
        for (row, q) in q.iter().enumerate() {
            for head in 0..heads {
                let own = head * width..(head + 1) * width;
                let score = |k: &Vec<f64>| f64::from(scale) * own.clone().map(|c| q[c] * k[c]).sum::<f64>();
                let scores: Vec<f64> = k.iter().map(score).collect();
                let largest = scores.iter().copied().fold(f64::MIN, f64::max);
                let e: Vec<f64> = scores.iter().map(|score| (score - largest).exp()).collect();
                let sum: f64 = e.iter().sum();
                for c in own {
                    wanted[row * columns + c] = e.iter().zip(&v).map(|(e, v)| e * v[c]).sum::<f64>() / sum;
                }
            }
        }
        wanted
    });
}

#[test]
fn ragged_shapes() {
    for (queries, keys, heads, width) in
        [(1, 1, 1, 1), (13, 13, 2, 8), (26, 26, 3, 40), (5, 33, 1, 17), (33, 5, 2, 33), (12, 16, 1, 64), (50, 50, 5, 72)]
    {
        check(queries, keys, heads, width, (width as f32).sqrt().recip());
    }
}

#[test]
fn more_keys_than_a_chunk() {
    check(14, 530, 1, 20, 0.3);
    check(3, 1030, 2, 4, 0.3);
}

#[test]
fn sharp_and_negative_scales() {
    check(13, 40, 2, 16, 60.0);
    check(13, 40, 2, 16, -2.0);
}

#[test]
fn queries_that_have_left_the_caches() {
    let (queries, heads, width) = (700, 8, 48);
    assert!(queries * heads * width > FAR);
    check(queries, 3, heads, width, 0.2);
}
