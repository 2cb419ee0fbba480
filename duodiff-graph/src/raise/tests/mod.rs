//! Small backbones of one operator each, built and raised.

mod compare;
mod errors;
mod operators;
mod refusals;
mod shapes;

use luminal::prelude::Shape;

use super::*;
use crate::build::{Builder, Tensor};
use crate::program::Op;

/// Builds and raises.
fn raised<S: Shape>(build: impl FnOnce(&mut Builder) -> Tensor<S>) -> Raised {
    let mut b = Builder::new("test");
    let out = build(&mut b);
    raise(&b.close(&out)).unwrap()
}

/// The operators of a program that is recognised whole and passes its own checks.
fn ops<S: Shape>(build: impl FnOnce(&mut Builder) -> Tensor<S>) -> Vec<Op> {
    let raised = raised(build);
    assert!(raised.report.left.is_empty(), "{}", raised.report);
    raised.program.verify().unwrap();
    let last = raised.program.ops.last().unwrap().out();
    assert_eq!(raised.program.outputs, [last]);
    raised.program.ops
}

/// The reasons of a program in which `operator` is not recognised.
fn refused<S: Shape>(operator: &str, build: impl FnOnce(&mut Builder) -> Tensor<S>) -> String {
    let raised = raised(build);
    assert_eq!(raised.report.count(operator), 0, "{}", raised.report);
    assert!(!raised.report.left.is_empty());
    raised.program.verify().unwrap();
    raised.report.to_string()
}
