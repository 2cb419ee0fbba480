//! Patches, pixels and convolutions against float64 loops: copied, and read through without a copy.

use super::case::{Case, norm};
use crate::cpu::views;
use crate::program::*;

#[test]
fn patches_there_and_back() {
    let (channels, height, width, patch) = (3, 6, 4, 2);
    let (rows, columns) = (height * width / patch / patch, channels * patch * patch);
    let mut case = Case::new();
    let x = case.input(rows, columns);
    let x = case.program.whole(x);
    let image = case.out(&[channels, height, width]);
    case.program.ops.push(Op::Unpatchify(Unpatchify { x, patch, out: image }));
    let out = case.out(&[rows, columns]);
    case.finish(Op::Patchify(Patchify { image, patch, out }));
    // The channel is fastest on the way in and slowest on the way out.
    case.check(0.0, |inputs, _| {
        let one = |i: usize| {
            let (row, channel, pixel) = (i / columns, i % columns / (patch * patch), i % (patch * patch));
            f64::from(inputs[0][row * columns + pixel * channels + channel])
        };
        (0..rows * columns).map(one).collect()
    });
}

/// Channel, line and column of an image `[channels, height, width]` of rows of patches, channel fastest.
fn pixel(x: &[f32], [channels, _, width]: [usize; 3], patch: usize, [c, y, x_]: [usize; 3]) -> f64 {
    let (row, inner) = (y / patch * (width / patch) + x_ / patch, y % patch * patch + x_ % patch);
    f64::from(x[(row * patch * patch + inner) * channels + c])
}

#[test]
fn unpatchified_pixels_lie_where_they_belong() {
    let (shape, mut case) = ([3, 4, 6], Case::new());
    let x = case.input(6, 12);
    let x = case.program.whole(x);
    let out = case.out(&shape);
    case.finish(Op::Unpatchify(Unpatchify { x, patch: 2, out }));
    case.check(0.0, |inputs, _| (0..72).map(|i| pixel(&inputs[0], shape, 2, [i / 24, i / 6 % 4, i % 6])).collect());
}

/// Channels, height, width, channels of the output, patch.
const CONVOLUTIONS: [[usize; 5]; 6] =
    [[1, 1, 1, 1, 1], [3, 5, 7, 2, 1], [2, 4, 16, 3, 2], [3, 3, 33, 3, 3], [1, 40, 20, 1, 4], [3, 34, 2, 3, 2]];

#[test]
fn convolutions() {
    for [channels, height, width, outs, patch] in CONVOLUTIONS {
        for is_view in [true, false] {
            let mut case = Case::new();
            // A window of more rows.
            let value = case.input(height * width / patch / patch + 1, channels * patch * patch);
            let mut tokens = case.program.whole(value);
            tokens.rows.start = 1;
            let x = case.out(&[channels, height, width]);
            case.program.ops.push(Op::Unpatchify(Unpatchify { x: tokens, patch, out: x }));
            let (weight, bias) = (case.param(&[outs, channels, 3, 3]), case.param(&[outs]));
            let out = case.out(&[outs, height, width]);
            case.finish(Op::Conv3x3(Conv3x3 { x, weight, bias, out }));
            if !is_view {
                case.program.outputs.push(x);
            }
            assert_eq!(views::of(&case.program)[x.index()].is_some(), is_view);
            case.check(3e-6, |inputs, _| {
                let x = &inputs[0][channels * patch * patch..];
                let padded = |c: usize, y: usize, column: usize| {
                    let inside = (1..=height).contains(&y) && (1..=width).contains(&column);
                    if inside { pixel(x, [channels, height, width], patch, [c, y - 1, column - 1]) } else { 0.0 }
                };
                let one = |i: usize| {
                    let (o, y, x) = (i / (height * width), i / width % height, i % width);
                    let weight = |t: usize| f64::from(case.values(weight)[o * 9 * channels + t]);
                    let term = |t: usize| weight(t) * padded(t / 9, y + t / 3 % 3, x + t % 3);
                    f64::from(case.values(bias)[o]) + (0..9 * channels).map(term).sum::<f64>()
                };
                (0..outs * height * width).map(one).collect()
            });
        }
    }
}

/// Image, patch. The last has more columns than a chunk of a product.
const EMBEDDINGS: [([usize; 3], usize); 4] = [([1, 2, 2], 2), ([3, 10, 6], 2), ([1, 28, 28], 4), ([3, 40, 20], 20)];

/// A linear of patches, by themselves, with a norm, and beside other rows.
fn embedding(image: [usize; 3], patch: usize, has_norm: bool, is_joined: bool) -> (Case, ValueId) {
    let [channels, height, width] = image;
    let (rows, columns) = (height * width / patch / patch, channels * patch * patch);
    let mut case = Case::new();
    let (image, other) = (case.image(image), case.input(rows, 5));
    let patches = case.out(&[rows, columns]);
    case.program.ops.push(Op::Patchify(Patchify { image, patch, out: patches }));
    let mut sources = vec![case.program.whole(patches)];
    if is_joined {
        sources.insert(0, case.program.whole(other));
    }
    let k = columns + if is_joined { 5 } else { 0 };
    let weight = case.param(&[19, k]);
    let out = case.out(&[rows, 19]);
    let norm = has_norm.then_some(RowNorm { eps: 1e-3, gain: None, shift: None });
    case.finish(Op::Linear(Linear { sources, norm, weight, bias: None, activation: None, residual: None, out }));
    (case, patches)
}

#[test]
fn patch_embeddings() {
    for (image, patch) in EMBEDDINGS {
        for (has_norm, is_joined) in [(false, false), (true, false), (false, true), (true, true)] {
            let (case, patches) = embedding(image, patch, has_norm, is_joined);
            assert!(views::of(&case.program)[patches.index()].is_some());
            let [channels, height, width] = image;
            let weight = ValueId::new(3);
            let k = case.program.value(weight).shape[1];
            case.check(3e-5 * (k as f64).sqrt(), |inputs, _| {
                let row = |row: usize| {
                    let mut x: Vec<f64> =
                        if is_joined { inputs[1][row * 5..][..5].iter().map(|x| f64::from(*x)).collect() } else { vec![] };
                    let (down, across) = (row / (width / patch) * patch, row % (width / patch) * patch);
                    for i in 0..channels * patch * patch {
                        let (c, y, column) = (i / patch / patch, i / patch % patch + down, i % patch + across);
                        x.push(f64::from(inputs[0][(c * height + y) * width + column]));
                    }
                    if has_norm { norm(&x, f64::from(1e-3f32), None, None) } else { x }
                };
                let rows = (0..height * width / patch / patch).map(row);
                let product = |x: Vec<f64>| {
                    case.values(weight).chunks(k).map(move |w| w.iter().zip(&x).map(|(w, x)| f64::from(*w) * x).sum()).collect::<Vec<f64>>()
                };
                rows.flat_map(product).collect()
            });
        }
    }
}

#[test]
fn patches_are_copied_where_they_must_be() {
    let (mut case, patches) = embedding([3, 10, 6], 2, false, false);
    let linear = case.program.ops[1].clone();
    let is_view = |program: &Program| views::of(program)[patches.index()].is_some();
    assert!(is_view(&case.program));
    // They are returned.
    case.program.outputs.push(patches);
    assert!(!is_view(&case.program));
    case.program.outputs.pop();
    // Somebody else reads them, or only some of them.
    let out = case.out(&[15, 12]);
    let x = case.program.whole(patches);
    case.program.ops.push(Op::Activate(Activate { x, f: Activation::Silu, out }));
    assert!(!is_view(&case.program));
    case.program.ops.pop();
    let Op::Linear(Linear { sources, .. }) = &mut case.program.ops[1] else { panic!("{linear:?}") };
    sources[0].rows.end -= 1;
    assert!(!is_view(&case.program));
    case.program.ops[1] = linear;
    // Their image is written by an operator, and may be written over.
    let id = ValueId::new(0);
    case.program.values[id.index()].origin = Origin::Op;
    assert!(!is_view(&case.program));
}

#[test]
fn pixels_are_copied_where_they_must_be() {
    let mut case = Case::new();
    let x = case.input(4, 4);
    let x = case.program.whole(x);
    let pixels = case.out(&[1, 4, 4]);
    case.program.ops.push(Op::Unpatchify(Unpatchify { x, patch: 2, out: pixels }));
    let (weight, bias) = (case.param(&[1, 1, 3, 3]), case.param(&[1]));
    let conv = |x, out| Op::Conv3x3(Conv3x3 { x, weight, bias, out });
    let [first, second] = [0, 1].map(|_| case.out(&[1, 4, 4]));
    case.finish(conv(pixels, first));
    let is_view = |program: &Program| views::of(program)[pixels.index()].is_some();
    assert!(is_view(&case.program));
    // Another convolution reads them too.
    case.program.ops.push(conv(pixels, second));
    assert!(!is_view(&case.program));
    // The convolution's output lies in the arena, maybe on the patches.
    case.program.ops[2] = conv(first, second);
    case.program.outputs = vec![second];
    assert!(!is_view(&case.program));
    // Another operator comes between, and may write over the patches.
    case.program.ops.truncate(2);
    case.program.outputs = vec![first];
    let out = case.out(&[4, 4]);
    let x = case.input(4, 4);
    case.program.ops.insert(1, Op::Activate(Activate { x: case.program.whole(x), f: Activation::Silu, out }));
    assert!(!is_view(&case.program));
}
