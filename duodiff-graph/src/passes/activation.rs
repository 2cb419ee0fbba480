//! `f(linear(x))` → the linear's epilogue.
//!
//! Preconditions: the linear's result goes nowhere else; the linear has neither activation nor residual (it adds that last).

use crate::program::{Linear, Net, Op, Program};

use super::Findings;
use super::rule::{Rule, replace};
use super::uses::{Uses, feeding_linear};

pub(super) fn run(net: &mut Net) -> Findings {
    Rule { applies: |op| matches!(op, Op::Activate(_)), fuse }.run(net)
}

fn fuse(program: &mut Program, uses: &Uses, index: usize) -> Result<(), &'static str> {
    let Op::Activate(activate) = &program.ops[index] else { return Err("it is not a nonlinearity") };
    let (writer, linear) = feeding_linear(program, uses, &activate.x)?;
    if linear.activation.is_some() {
        return Err("the linear has an activation already");
    }
    if linear.residual.is_some() {
        return Err("the linear ends in a residual, which is added after the activation");
    }
    let fused = Linear { activation: Some(activate.f), out: activate.out, ..linear };
    replace(program, index, Op::Linear(fused), writer);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::run;
    use crate::program::{Activation, Op};
    use crate::tests::sketch::Sketch;

    #[test]
    fn fuses_gelu() {
        let mut s = Sketch::new("gelu");
        let x = s.table(0, 3, 4);
        let y = s.linear(x, "fc", 6, true);
        let z = s.activate(y, Activation::Gelu);
        let mut net = s.finish(&[z]);
        assert_eq!(run(&mut net).fused, 1);
        assert!(matches!(&net.body.ops[..], [Op::Linear(linear)] if linear.activation == Some(Activation::Gelu) && linear.out == z));
    }

    #[test]
    fn refuses_gelu_when_the_product_is_read_elsewhere() {
        let mut s = Sketch::new("twice");
        let x = s.table(0, 3, 4);
        let y = s.linear(x, "fc", 6, true);
        let z = s.activate(y, Activation::Gelu);
        let out = s.mul(z, y);
        let found = run(&mut s.finish(&[out]));
        assert_eq!((found.fused, found.refused[0].reason), (0, "the linear's result is read elsewhere too"));
    }

    #[test]
    fn refuses_gelu_of_an_output() {
        let mut s = Sketch::new("output");
        let x = s.table(0, 3, 4);
        let y = s.linear(x, "fc", 6, true);
        let z = s.activate(y, Activation::Gelu);
        assert_eq!(run(&mut s.finish(&[y, z])).fused, 0);
    }

    #[test]
    fn refuses_gelu_after_gelu() {
        let mut s = Sketch::new("again");
        let x = s.table(0, 3, 4);
        let y = s.linear(x, "fc", 6, true);
        let y = s.activate(y, Activation::Gelu);
        let y = s.activate(y, Activation::Silu);
        let found = run(&mut s.finish(&[y]));
        assert_eq!((found.fused, found.refused[0].reason), (1, "the linear has an activation already"));
    }

    #[test]
    fn refuses_gelu_of_a_sum() {
        let mut s = Sketch::new("sum");
        let x = s.table(0, 3, 4);
        let y = s.linear(x, "fc", 4, true);
        let y = s.add(x, y);
        let y = s.activate(y, Activation::Gelu);
        let mut net = s.finish(&[y]);
        super::super::residual::run(&mut net);
        let found = run(&mut net);
        let reason = "the linear ends in a residual, which is added after the activation";
        assert_eq!((found.fused, found.refused[0].reason), (0, reason));
    }
}
