//! Each operator's primitives, run by luminal's interpreter, against plain float64 loops.

pub(crate) mod reference;

use luminal::prelude::Shape;

use self::reference::{Rows, fed, fed_image, input, parameter};
use super::*;
use crate::program::Origin;

const BATCH: usize = 2;

/// Builds, runs, and compares every image with `plain(its inputs)`.
fn check<S: Shape, const N: usize>(
    bound: f64,
    sizes: [[usize; 2]; N],
    build: impl FnOnce(&mut Builder) -> Tensor<S>,
    plain: impl Fn(&[Rows; N]) -> Vec<f64>,
) {
    let mut b = Builder::new("test");
    let out = build(&mut b);
    let mut built = b.close(&out);
    let found = built.evaluate(BATCH, |load| fed(load, BATCH));
    for image in 0..BATCH {
        let inputs = std::array::from_fn(|i| Rows::new(sizes[i][1], fed_image(&built, &Origin::StepTable(i), BATCH, image)));
        near(&found[image * found.len() / BATCH..][..found.len() / BATCH], &plain(&inputs), bound);
    }
}

fn near(found: &[f32], wanted: &[f64], bound: f64) {
    assert_eq!(found.len(), wanted.len());
    let worst = found.iter().zip(wanted).map(|(&f, w)| (f64::from(f) - w).abs()).fold(0.0, f64::max);
    assert!(worst <= bound, "off by {worst:e}, allowed {bound:e}");
}

#[test]
fn linear_with_bias() {
    let plain = |[x]: &[Rows; 1]| reference::linear(x, &Rows::new(3, parameter("w.weight", 15)), Some(&parameter("w.bias", 5))).data;
    check(
        5e-6,
        [[4, 3]],
        |b| {
            let x = input::<4, 3>(b, 0);
            linear::<4, 3, 5>(b, &x, "w", Bias::With)
        },
        plain,
    );
}

#[test]
fn linear_without_bias_square() {
    let plain = |[x]: &[Rows; 1]| reference::linear(x, &Rows::new(3, parameter("w.weight", 9)), None).data;
    check(
        5e-6,
        [[3, 3]],
        |b| {
            let x = input::<3, 3>(b, 0);
            linear::<3, 3, 3>(b, &x, "w", Bias::Without)
        },
        plain,
    );
}

#[test]
fn linear_of_a_parameter() {
    let plain = |_: &[Rows; 0]| reference::linear(&Rows::new(3, parameter("p", 6)), &Rows::new(3, parameter("w.weight", 6)), None).data;
    check(
        5e-6,
        [],
        |b| {
            let x = b.param::<2, 3>("p", &[1, 2, 3]);
            linear::<2, 3, 2>(b, &x, "w", Bias::Without)
        },
        plain,
    );
}

#[test]
fn norms() {
    check(5e-6, [[4, 6]], |b| norm(&input::<4, 6>(b, 0), 1e-3), |[x]| reference::norm(x, 1e-3).data);
    let plain = |[x]: &[Rows; 1]| {
        let (gain, shift) = (parameter("n.weight", 6), parameter("n.bias", 6));
        reference::norm(x, 1e-5).each_row(|row| (0..6).map(|i| row[i] * gain[i] + shift[i]).collect()).data
    };
    check(
        5e-6,
        [[4, 6]],
        |b| {
            let x = input::<4, 6>(b, 0);
            norm_affine(b, &x, "n", 1e-5)
        },
        plain,
    );
}

#[test]
fn attention_of_one_and_of_two_sequences() {
    let own = |b: &mut Builder| {
        let x = input::<5, 18>(b, 0);
        attention::<5, 5, 6, 2, 3>(&columns::<5, 18, 6>(&x, 0), &columns::<5, 18, 6>(&x, 6), &columns::<5, 18, 6>(&x, 12))
    };
    check(5e-6, [[5, 18]], own, |[x]| reference::attention(&x.cut(0, 6), &x.cut(6, 6), &x.cut(12, 6), 2).data);
    let cross = |b: &mut Builder| {
        let (q, k, v) = (input::<2, 6>(b, 0), input::<5, 6>(b, 1), input::<5, 6>(b, 2));
        attention::<2, 5, 6, 3, 2>(&q, &k, &v)
    };
    check(5e-6, [[2, 6], [5, 6], [5, 6]], cross, |[q, k, v]| reference::attention(q, k, v, 3).data);
}

#[test]
fn activations() {
    check(2e-6, [[7, 9]], |b| gelu(&input::<7, 9>(b, 0)), |[x]| x.each(reference::gelu).data);
    check(2e-6, [[7, 9]], |b| gelu_tanh(&input::<7, 9>(b, 0)), |[x]| x.each(reference::gelu_tanh).data);
    check(2e-6, [[7, 9]], |b| silu(&input::<7, 9>(b, 0)), |[x]| x.each(reference::silu).data);
}

#[test]
fn activations_far_from_zero() {
    let far = |b: &mut Builder| scale(&input::<7, 9>(b, 0), 60.0);
    check(
        3e-5,
        [[7, 9]],
        |b| {
            let x = far(b);
            gelu(&x)
        },
        |[x]| x.each(|x| reference::gelu(60.0 * x)).data,
    );
    check(
        3e-5,
        [[7, 9]],
        |b| {
            let x = far(b);
            gelu_tanh(&x)
        },
        |[x]| x.each(|x| reference::gelu_tanh(60.0 * x)).data,
    );
    check(
        3e-5,
        [[7, 9]],
        |b| {
            let x = far(b);
            silu(&x)
        },
        |[x]| x.each(|x| reference::silu(60.0 * x)).data,
    );
}

#[test]
fn softmax_of_rows() {
    check(2e-6, [[4, 5]], |b| softmax(&input::<4, 5>(b, 0)), |[x]| reference::softmax(x).data);
}

#[test]
fn sums_and_products() {
    check(1e-6, [[4, 5]; 2], |b| add(&input::<4, 5>(b, 0), &input::<4, 5>(b, 1)), |[x, y]| x.with(y, |x, y| x + y).data);
    check(1e-6, [[4, 5]; 2], |b| mul(&input::<4, 5>(b, 0), &input::<4, 5>(b, 1)), |[x, y]| x.with(y, |x, y| x * y).data);
    let row = |y: &Rows, f: fn(f64, f64) -> f64| {
        let y = y.data.clone();
        move |x: &[f64]| x.iter().zip(&y).map(|(x, y)| f(*x, *y)).collect()
    };
    check(1e-6, [[4, 5], [1, 5]], |b| add_row(&input::<4, 5>(b, 0), &input::<1, 5>(b, 1)), |[x, y]| x.each_row(row(y, |x, y| x + y)).data);
    check(1e-6, [[4, 5], [1, 5]], |b| mul_row(&input::<4, 5>(b, 0), &input::<1, 5>(b, 1)), |[x, y]| x.each_row(row(y, |x, y| x * y)).data);
    check(1e-6, [[4, 5]], |b| scale(&input::<4, 5>(b, 0), 3.0), |[x]| x.each(|x| 3.0 * x).data);
    check(1e-6, [[4, 5]], |b| offset(&input::<4, 5>(b, 0), 3.0), |[x]| x.each(|x| 3.0 + x).data);
}

#[test]
fn sums_and_products_with_parameters() {
    let p = || Rows::new(5, parameter("p", 20));
    let param = |b: &mut Builder| b.param::<4, 5>("p", &[1, 4, 5]);
    check(
        1e-6,
        [[4, 5]],
        |b| {
            let p = param(b);
            add(&input::<4, 5>(b, 0), &p)
        },
        |[x]| x.with(&p(), |x, p| x + p).data,
    );
    check(
        1e-6,
        [[4, 5]],
        |b| {
            let p = param(b);
            mul(&p, &input::<4, 5>(b, 0))
        },
        |[x]| x.with(&p(), |x, p| x * p).data,
    );
    check(
        1e-6,
        [],
        |b| {
            let p = param(b);
            add(&p, &p)
        },
        |_: &[Rows; 0]| p().each(|p| p + p).data,
    );
    let row = |x: &[f64]| x.iter().zip(&parameter("r", 5)).map(|(x, r)| x * r).collect();
    check(
        1e-6,
        [[4, 5]],
        |b| {
            let r = b.param::<1, 5>("r", &[5]);
            mul_row(&input::<4, 5>(b, 0), &r)
        },
        |[x]| x.each_row(row).data,
    );
}

#[test]
fn joins_and_cuts() {
    let tokens = |b: &mut Builder| join_tokens::<2, 3, 5, 4>(&input::<2, 4>(b, 0), &input::<3, 4>(b, 1));
    check(0.0, [[2, 4], [3, 4]], tokens, |[x, y]| [x.data.clone(), y.data.clone()].concat());
    let with_param = |b: &mut Builder| {
        let p = b.param::<1, 4>("p", &[4]);
        join_tokens::<1, 3, 4, 4>(&p, &input::<3, 4>(b, 0))
    };
    check(0.0, [[3, 4]], with_param, |[x]| [parameter("p", 4), x.data.clone()].concat());
    let features = |b: &mut Builder| join_features::<3, 2, 4, 6>(&input::<3, 2>(b, 0), &input::<3, 4>(b, 1));
    check(0.0, [[3, 2], [3, 4]], features, |[x, y]| (0..3).flat_map(|row| [x.row(row), y.row(row)].concat()).collect());
    check(0.0, [[3, 7]], |b| columns::<3, 7, 2>(&input::<3, 7>(b, 0), 4), |[x]| x.cut(4, 2).data);
    check(0.0, [[7, 3]], |b| rows::<7, 3, 2>(&input::<7, 3>(b, 0), 4), |[x]| x.data[12..18].to_vec());
    let of_a_cut = |b: &mut Builder| columns::<2, 7, 3>(&rows::<5, 7, 2>(&input::<5, 7>(b, 0), 3), 1);
    check(0.0, [[5, 7]], of_a_cut, |[x]| (3..5).flat_map(|row| x.row(row)[1..4].to_vec()).collect());
}

#[test]
fn embedding_takes_the_row_of_the_label() {
    let mut b = Builder::new("test");
    let out = embedding::<5, 3>(&mut b, "e");
    let mut built = b.close(&out);
    let table = parameter("e.weight", 15);
    let labels = [4.0, 0.0, 2.0];
    let found = built.evaluate(3, |load| if load.role == Origin::Label { labels.to_vec() } else { fed(load, 3) });
    near(&found, &[&table[12..15], &table[0..3], &table[6..9]].concat(), 0.0);
}

#[test]
fn patches_and_back() {
    let mut b = Builder::new("test");
    let image = b.image::<2, 4, 6>();
    let out = patch_embed::<2, 4, 6, 2, 2, 3, 6, 8, 5>(&mut b, &image, "e");
    let mut built = b.close(&out);
    let found = built.evaluate(BATCH, |load| fed(load, BATCH));
    for image in 0..BATCH {
        let patches = reference::patchify(&fed_image(&built, &Origin::Image, BATCH, image), [2, 4, 6], 2);
        let wanted = reference::linear(&patches, &Rows::new(8, parameter("e.weight", 40)), Some(&parameter("e.bias", 5)));
        near(&found[image * 30..][..30], &wanted.data, 1e-5);
    }
    let back = |b: &mut Builder| unpatchify::<6, 8, 2, 4, 6, 2, 2, 3>(&input::<6, 8>(b, 0));
    check(0.0, [[6, 8]], back, |[x]| reference::unpatchify(x, [2, 4, 6], 2));
}

#[test]
fn convolution() {
    let mut b = Builder::new("test");
    let image = b.image::<2, 4, 5>();
    let out = conv3x3::<2, 4, 5, 6, 7, 20, 18, 3>(&mut b, &image, "c");
    let mut built = b.finish(&out);
    let found = built.evaluate(BATCH, |load| fed(load, BATCH));
    for image in 0..BATCH {
        let image_data = fed_image(&built, &Origin::Image, BATCH, image);
        let wanted = reference::conv3x3(&image_data, [2, 4, 5], &parameter("c.weight", 54), &parameter("c.bias", 3));
        near(&found[image * 60..][..60], &wanted, 1e-5);
    }
}

#[test]
fn a_second_run_does_not_return_the_first_ones_output() {
    let mut b = Builder::new("test");
    let out = offset(&input::<1, 2>(&mut b, 0), 1.0);
    let mut built = b.close(&out);
    assert_eq!(built.evaluate(1, |_| vec![1.0, 2.0]), [2.0, 3.0]);
    assert_eq!(built.evaluate(2, |_| vec![5.0, 6.0, 7.0, 8.0]), [6.0, 7.0, 8.0, 9.0]);
}

#[test]
fn one_key_is_one_parameter() {
    let mut b = Builder::new("test");
    let x = input::<2, 3>(&mut b, 0);
    let once = linear::<2, 3, 3>(&mut b, &x, "w", Bias::With);
    let twice = linear::<2, 3, 3>(&mut b, &once, "w", Bias::With);
    assert_eq!(b.close(&twice).loads.len(), 3);
}
