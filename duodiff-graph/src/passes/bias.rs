//! `linear(x) + row` → the linear's bias.
//!
//! Preconditions: the row is a whole parameter; the linear's result goes nowhere else; the linear has no epilogue yet.

use crate::program::{BinaryFn, Linear, Net, Op, Operand, Origin, Program, ValueId};

use super::Findings;
use super::rule::{Rule, replace};
use super::uses::{Uses, feeding_linear, is_whole};

pub(super) fn run(net: &mut Net) -> Findings {
    // With equal shapes a sum of one row is left to `residual`, unless it is a parameter: see `fuse`.
    let adds_a_row = |op: &Op| matches!(op, Op::Binary(sum) if sum.f == BinaryFn::Add && sum.b.rows.len() == 1);
    Rule { applies: adds_a_row, fuse }.run(net)
}

fn fuse(program: &mut Program, uses: &Uses, index: usize) -> Result<(), &'static str> {
    let Op::Binary(sum) = &program.ops[index] else { return Err("it is not a sum") };
    let one_row = sum.a.rows.len() == 1;
    let (x, row) = match (parameter(program, &sum.b), parameter(program, &sum.a)) {
        (Some(row), _) => (&sum.a, row),
        (None, Some(row)) if one_row => (&sum.b, row),
        _ => return Err("the row is not a whole parameter"),
    };
    let (writer, linear) = feeding_linear(program, uses, x)?;
    if linear.bias.is_some() || linear.activation.is_some() || linear.residual.is_some() {
        return Err("the linear has an epilogue already");
    }
    let fused = Linear { bias: Some(row), out: sum.out, ..linear };
    replace(program, index, Op::Linear(fused), writer);
    Ok(())
}

/// The parameter that an operand is the whole of, if it has one row.
fn parameter(program: &Program, operand: &Operand) -> Option<ValueId> {
    let is_param = matches!(program.value(operand.value).origin, Origin::Param { .. });
    (is_param && operand.rows.len() == 1 && is_whole(program, operand)).then_some(operand.value)
}

#[cfg(test)]
mod tests {
    use super::run;
    use crate::program::{Activation, Op};
    use crate::tests::sketch::Sketch;

    #[test]
    fn fuses_a_parameter_row() {
        let mut s = Sketch::new("bias");
        let x = s.table(0, 3, 4);
        let y = s.linear(x, "fc", 6, false);
        let row = s.param("row", &[1, 6]);
        let z = s.add(y, row);
        let mut net = s.finish(&[z]);
        assert_eq!(run(&mut net).fused, 1);
        assert!(matches!(&net.body.ops[..], [Op::Linear(linear)] if linear.bias == Some(row) && linear.out == z));
    }

    #[test]
    fn refuses_a_computed_row() {
        let mut s = Sketch::new("computed");
        let (x, row) = (s.table(0, 3, 4), s.table(1, 1, 6));
        let y = s.linear(x, "fc", 6, false);
        let z = s.add(y, row);
        let found = run(&mut s.finish(&[z]));
        assert_eq!((found.fused, found.refused[0].reason), (0, "the row is not a whole parameter"));
    }

    #[test]
    fn refuses_a_row_after_any_epilogue() {
        for epilogue in ["bias", "activation", "residual"] {
            let mut s = Sketch::new(epilogue);
            let x = s.table(0, 3, 4);
            let mut y = s.linear(x, "fc", 4, epilogue == "bias");
            match epilogue {
                "activation" => y = s.activate(y, Activation::Gelu),
                "residual" => y = s.add(x, y),
                _ => {}
            }
            let row = s.param("row", &[1, 4]);
            let z = s.add(y, row);
            let mut net = s.finish(&[z]);
            super::super::activation::run(&mut net);
            super::super::residual::run(&mut net);
            let found = run(&mut net);
            assert_eq!((found.fused, found.refused[0].reason), (0, "the linear has an epilogue already"), "{epilogue}");
        }
    }
}
