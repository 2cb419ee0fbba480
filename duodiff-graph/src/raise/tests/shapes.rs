//! What the builders never make, or leave unused.

use luminal::prelude::Const;

use super::{ops, raised};
use crate::build::tests::reference::input;
use crate::build::{Batch, Bias, Builder, Tensor, gelu, linear, norm, scale};
use crate::program::Origin;
use crate::raise::raise;

#[test]
fn tokens_that_are_an_image_are_copied() {
    let raised = raised(|b| {
        let image = b.image::<2, 3, 4>();
        let tokens = Tensor::new(image.0.reshape::<(Batch, Const<6>, Const<4>)>());
        linear::<6, 4, 5>(b, &tokens, "w", Bias::Without)
    });
    let names: Vec<&str> = raised.program.ops.iter().map(|op| op.name()).collect();
    assert_eq!(names, ["primitive", "linear"]);
    assert_eq!(raised.report.left.len(), 1);
    raised.program.verify().unwrap();
}

#[test]
fn an_input_that_is_the_output_is_copied() {
    let raised = raised(|b| b.image::<2, 3, 4>());
    assert_eq!(raised.program.ops.len(), 1);
    assert_eq!(raised.program.value(raised.program.outputs[0]).shape, [2, 3, 4]);
    raised.program.verify().unwrap();
}

#[test]
fn what_nothing_reads_is_not_computed() {
    let found = ops(|b| {
        let x = input::<2, 3>(b, 0);
        // The centred tokens are also read, but by something that nothing reads.
        let unread = gelu(&norm(&x, 1e-5));
        drop(scale(&unread, 2.0));
        norm(&x, 1e-5)
    });
    assert_eq!(found.len(), 1);
}

#[test]
fn an_unread_parameter_is_still_a_parameter() {
    let raised = raised(|b| {
        drop(b.param::<2, 3>("p", &[1, 2, 3]));
        gelu(&input::<2, 3>(b, 0))
    });
    assert_eq!(raised.program.params().map(|(_, key, _)| key).collect::<Vec<_>>(), ["p"]);
}

#[test]
fn an_intermediate_result_that_is_an_output_stays() {
    let mut b = Builder::new("test");
    let x = input::<2, 3>(&mut b, 0);
    let y = gelu(&x);
    let mut built = b.close(&y);
    let square = built.loads[0].node.index() + 1;
    built.graph.retrieve_tensors(luminal::prelude::NodeIndex::new(square));
    let raised = raise(&built).unwrap();
    assert_eq!(raised.report.count("gelu"), 0);
    assert!(raised.report.to_string().contains("is no gelu: the intermediate result of node 1 is also an output"), "{}", raised.report);
}

#[test]
fn results_of_parameters_alone_are_shared() {
    let built = |b: &mut Builder| {
        let p = b.parameter::<(Const<2>, Const<3>)>("p", vec![2, 3], &[2, 3]);
        Tensor::new(p * p)
    };
    let raised = raised(built);
    assert_eq!(raised.program.value(raised.program.outputs[0]).origin, Origin::Shared);
}
