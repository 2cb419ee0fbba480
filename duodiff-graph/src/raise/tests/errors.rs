//! Graphs that cannot be programs.

use luminal::op::{InputTensor, Operator};
use luminal::prelude::{Axis, Const, GenericCompiler, GraphTensor, ShapeTracker};

use crate::build::tests::reference::input;
use crate::build::{Bias, Builder, Tensor, add, linear, norm};
use crate::raise::{RaiseError, raise};

#[test]
fn one_key_with_two_shapes() {
    let mut b = Builder::new("test");
    let x = input::<2, 3>(&mut b, 0);
    let x = linear::<2, 3, 4>(&mut b, &x, "w", Bias::Without);
    let x = linear::<2, 4, 3>(&mut b, &x, "w", Bias::Without);
    assert_eq!(raise(&b.close(&x)).unwrap_err(), RaiseError::Key { key: "w.weight".into() });
}

#[derive(Debug, PartialEq)]
struct Foreign;

impl Operator for Foreign {
    fn process(&mut self, _: Vec<(InputTensor, ShapeTracker)>) -> Vec<luminal::prelude::Tensor> {
        Vec::new()
    }
}

#[test]
fn an_operator_that_is_no_primitive() {
    let mut b = Builder::new("test");
    let x = input::<2, 3>(&mut b, 0).0;
    let node = x.graph().add_op(Foreign).input(x.id, 0, x.shape).finish();
    let out: Tensor<(crate::build::Batch, Const<2>, Const<3>)> = Tensor::new(GraphTensor::from_id(node, x.shape, x.graph_ref));
    assert_eq!(raise(&b.close(&out)).unwrap_err(), RaiseError::Operator { node: 1, operator: "Foreign".into() });
}

#[test]
fn a_mean_over_the_batch() {
    let mut b = Builder::new("test");
    let x = input::<2, 3>(&mut b, 0).0;
    let out: Tensor<(Const<2>, Const<3>)> = Tensor::new(x.sum_reduce::<_, Axis<0>>());
    assert_eq!(raise(&b.close(&out)).unwrap_err(), RaiseError::Batch { node: 1 });
}

#[test]
fn a_graph_that_a_compiler_rewrote() {
    let mut b = Builder::new("test");
    let x = input::<2, 3>(&mut b, 0);
    let x = add(&norm(&x, 1e-5), &norm(&x, 1e-5));
    let mut built = b.close(&x);
    let mut output = built.output.0;
    built.graph.compile(GenericCompiler::default(), &mut output);
    built.output.0 = output;
    assert_eq!(raise(&built).unwrap_err(), RaiseError::Rewritten);
}
