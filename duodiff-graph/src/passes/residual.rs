//! `x + linear(y)` → the linear adds x last.
//!
//! Preconditions: equal shapes; the linear's result goes nowhere else; the linear has no residual yet. Of two linears the later
//! one takes the sum. The fused linear stands where the sum stood, so x is known to be there.

use crate::program::{BinaryFn, Linear, Net, Op, Program};

use super::Findings;
use super::rule::{Rule, replace};
use super::uses::{Uses, feeding_linear};

pub(super) fn run(net: &mut Net) -> Findings {
    Rule { applies: |op| matches!(op, Op::Binary(sum) if sum.f == BinaryFn::Add), fuse }.run(net)
}

fn fuse(program: &mut Program, uses: &Uses, index: usize) -> Result<(), &'static str> {
    let Op::Binary(sum) = &program.ops[index] else { return Err("it is not a sum") };
    if sum.a.shape() != sum.b.shape() {
        return Err("one row is added to many");
    }
    let from_a = feeding_linear(program, uses, &sum.a).map(|(writer, linear)| (writer, linear, &sum.b));
    let from_b = feeding_linear(program, uses, &sum.b).map(|(writer, linear)| (writer, linear, &sum.a));
    let (writer, linear, residual) = match (from_a, from_b) {
        (Ok(a), Ok(b)) => {
            if a.0 > b.0 {
                a
            } else {
                b
            }
        }
        (a, b) => b.or(a)?,
    };
    if linear.residual.is_some() {
        return Err("the linear has a residual already");
    }
    let fused = Linear { residual: Some(residual.clone()), out: sum.out, ..linear };
    replace(program, index, Op::Linear(fused), writer);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::run;
    use crate::program::{Activation, Op};
    use crate::tests::sketch::Sketch;

    #[test]
    fn fuses_a_residual_on_either_side() {
        for linear_first in [false, true] {
            let mut s = Sketch::new("residual");
            let x = s.table(0, 3, 4);
            let y = s.linear(x, "fc", 4, true);
            let z = if linear_first { s.add(y, x) } else { s.add(x, y) };
            let mut net = s.finish(&[z]);
            assert_eq!(run(&mut net).fused, 1);
            assert!(matches!(&net.body.ops[..], [Op::Linear(linear)] if linear.residual.as_ref().unwrap().value == x && linear.out == z));
        }
    }

    /// The other summand is computed after the linear: the fused linear has to wait for it.
    #[test]
    fn fuses_a_residual_that_comes_later() {
        let mut s = Sketch::new("later");
        let x = s.table(0, 3, 4);
        let y = s.linear(x, "fc", 4, true);
        let late = s.activate(x, Activation::Silu);
        let z = s.add(y, late);
        let mut net = s.finish(&[z]);
        assert_eq!(run(&mut net).fused, 1);
        assert_eq!(net.body.ops.iter().map(Op::name).collect::<Vec<_>>(), ["activate", "linear"]);
    }

    #[test]
    fn the_later_of_two_linears_takes_the_sum() {
        let mut s = Sketch::new("two");
        let x = s.table(0, 3, 4);
        let a = s.linear(x, "a", 4, true);
        let b = s.linear(x, "b", 4, true);
        let z = s.add(b, a);
        let mut net = s.finish(&[z]);
        assert_eq!(run(&mut net).fused, 1);
        assert!(matches!(&net.body.ops[1], Op::Linear(linear) if linear.residual.as_ref().unwrap().value == a));
    }

    #[test]
    fn refuses_a_broadcast_row() {
        let mut s = Sketch::new("row");
        let (x, row) = (s.table(0, 3, 4), s.table(1, 1, 4));
        let y = s.linear(x, "fc", 4, true);
        let z = s.add(y, row);
        let found = run(&mut s.finish(&[z]));
        assert_eq!((found.fused, found.refused[0].reason), (0, "one row is added to many"));
    }

    #[test]
    fn refuses_a_second_residual() {
        let mut s = Sketch::new("second");
        let x = s.table(0, 3, 4);
        let y = s.linear(x, "fc", 4, true);
        let y = s.add(x, y);
        let y = s.add(x, y);
        let found = run(&mut s.finish(&[y]));
        assert_eq!((found.fused, found.refused[0].reason), (1, "the linear has a residual already"));
    }

    #[test]
    fn refuses_a_linear_added_to_itself() {
        let mut s = Sketch::new("itself");
        let x = s.table(0, 3, 4);
        let y = s.linear(x, "fc", 4, true);
        let y = s.add(y, y);
        assert_eq!(run(&mut s.finish(&[y])).fused, 0);
    }
}
