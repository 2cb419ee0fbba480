//! luminal's interpreter on the primitives against the float64 interpreter on the program, recognised and not.

use luminal::prelude::Shape;

use crate::build::tests::reference::{fed, input};
use crate::build::*;
use crate::interpret::{self, Inputs};
use crate::program::{Origin, Program};
use crate::raise::{Recognisers, raise, raise_with};
use crate::weights::{self, Weights};

const BATCH: usize = 2;

/// The program's output on the values of [`fed`].
fn interpreted(program: &Program, loads: &[Load]) -> Vec<f64> {
    let mut weights = Weights::default();
    let mut images = Vec::new();
    let mut tables = Vec::new();
    for load in loads {
        let data = fed(load, BATCH);
        match &load.role {
            Origin::Param { key, shape } => {
                weights.tensors.insert(key.clone(), weights::Tensor { shape: shape.clone(), data });
            }
            Origin::Image => images = data,
            Origin::StepTable(_) => tables.push(data.into_iter().map(f64::from).collect()),
            _ => {}
        }
    }
    let inputs = Inputs { images: &images, times: &[0.0; BATCH], labels: Some(&[0, 1]) };
    interpret::program(program, &inputs, &tables, &weights).unwrap().swap_remove(0)
}

fn near(found: &[f64], wanted: &[f32], what: &str) {
    assert_eq!(found.len(), wanted.len(), "{what}");
    let worst = found.iter().zip(wanted).map(|(f, &w)| (f - f64::from(w)).abs()).fold(0.0, f64::max);
    assert!(worst <= 1e-5, "{what}: off by {worst:e}");
}

/// Compares both interpreters on one backbone.
fn check<S: Shape>(build: impl FnOnce(&mut Builder) -> Tensor<S>) {
    let mut b = Builder::new("test");
    let out = build(&mut b);
    let mut built = b.close(&out);
    let wanted = built.evaluate(BATCH, |load| fed(load, BATCH));
    let recognised = raise(&built).unwrap();
    assert!(recognised.report.left.is_empty(), "{}", recognised.report);
    near(&interpreted(&recognised.program, &built.loads), &wanted, "recognised");
    let primitive = raise_with(&built, &Recognisers::none()).unwrap();
    assert!(primitive.report.left.len() >= primitive.report.nodes && primitive.report.recognised.is_empty());
    assert!(primitive.program.ops.iter().all(|op| op.name() == "primitive"));
    near(&interpreted(&primitive.program, &built.loads), &wanted, "primitive");
}

#[test]
fn linear_and_norm() {
    check(|b| {
        let x = input::<4, 3>(b, 0);
        linear::<4, 3, 5>(b, &x, "w", Bias::With)
    });
    check(|b| {
        let x = input::<4, 3>(b, 0);
        linear::<4, 3, 5>(b, &x, "w", Bias::Without)
    });
    check(|b| norm(&input::<4, 6>(b, 0), 1e-5));
    check(|b| {
        let x = input::<4, 6>(b, 0);
        norm_affine(b, &x, "n", 1e-5)
    });
}

#[test]
fn attention_and_softmax() {
    check(|b| attention::<2, 5, 6, 3, 2>(&input::<2, 6>(b, 0), &input::<5, 6>(b, 1), &input::<5, 6>(b, 2)));
    check(|b| softmax(&input::<4, 5>(b, 0)));
}

#[test]
fn activations() {
    check(|b| gelu(&input::<4, 5>(b, 0)));
    check(|b| gelu_tanh(&input::<4, 5>(b, 0)));
    check(|b| silu(&input::<4, 5>(b, 0)));
}

#[test]
fn sums_and_products() {
    check(|b| add(&input::<4, 5>(b, 0), &input::<4, 5>(b, 1)));
    check(|b| mul(&b.param::<4, 5>("p", &[4, 5]), &input::<4, 5>(b, 0)));
    check(|b| add(&b.param::<4, 5>("p", &[4, 5]), &b.param::<4, 5>("q", &[4, 5])));
    check(|b| add_row(&input::<4, 5>(b, 0), &input::<1, 5>(b, 1)));
    check(|b| mul_row(&b.param::<4, 5>("p", &[4, 5]), &b.param::<1, 5>("r", &[5])));
    check(|b| scale(&input::<4, 5>(b, 0), 3.0));
    check(|b| offset(&input::<4, 5>(b, 0), 3.0));
}

#[test]
fn joins_and_cuts() {
    check(|b| join_tokens::<2, 3, 5, 4>(&input::<2, 4>(b, 0), &input::<3, 4>(b, 1)));
    check(|b| join_tokens::<1, 3, 4, 4>(&b.param::<1, 4>("p", &[4]), &input::<3, 4>(b, 0)));
    check(|b| join_features::<3, 2, 4, 6>(&input::<3, 2>(b, 0), &input::<3, 4>(b, 1)));
    check(|b| columns::<3, 7, 2>(&input::<3, 7>(b, 0), 4));
    check(|b| rows::<7, 3, 2>(&input::<7, 3>(b, 0), 4));
}

#[test]
fn embedding_of_labels() {
    check(|b| embedding::<5, 3>(b, "e"));
}

#[test]
fn patches_and_convolution() {
    check(|b| {
        let x = b.image::<2, 4, 6>();
        patch_embed::<2, 4, 6, 2, 2, 3, 6, 8, 5>(b, &x, "e")
    });
    check(|b| unpatchify::<6, 8, 2, 4, 6, 2, 2, 3>(&input::<6, 8>(b, 0)));
    check(|b| {
        let x = b.image::<2, 4, 5>();
        conv3x3::<2, 4, 5, 6, 7, 20, 18, 3>(b, &x, "c")
    });
}

/// One block of a DiT: modulation by rows that come from the condition.
fn adaptive(b: &mut Builder) -> Tokens<4, 6> {
    let (x, condition) = (input::<4, 6>(b, 0), input::<1, 6>(b, 1));
    let modulation = linear::<1, 6, 18>(b, &silu(&condition), "ada", Bias::With);
    let [shift, factor, gate] = [0, 6, 12].map(|start| columns::<1, 18, 6>(&modulation, start));
    let modulated = add_row(&mul_row(&norm(&x, 1e-6), &offset(&factor, 1.0)), &shift);
    let out = linear::<4, 6, 6>(b, &gelu_tanh(&modulated), "fc", Bias::With);
    add(&x, &mul_row(&out, &gate))
}

#[test]
fn adaptive_norm() {
    check(adaptive);
}

#[test]
fn a_partly_recognised_program_runs_too() {
    for name in ["linear", "norm", "columns", "mul", "silu"] {
        let mut b = Builder::new("test");
        let out = adaptive(&mut b);
        let mut built = b.close(&out);
        let wanted = built.evaluate(BATCH, |load| fed(load, BATCH));
        let raised = raise_with(&built, &Recognisers::all().without(name)).unwrap();
        assert!(raised.report.count(name) == 0 && !raised.report.left.is_empty());
        near(&interpreted(&raised.program, &built.loads), &wanted, name);
    }
}
