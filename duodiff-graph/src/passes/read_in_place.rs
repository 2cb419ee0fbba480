//! `f(slice(x))` → f reads the window of x itself; so attention takes q, k and v out of one packed linear.
//!
//! Precondition: every reader reads windows (images, parameters and primitives' views are read whole), and the copy is no output.

use crate::program::{Net, Op, Operand, Program};

use super::Findings;
use super::rule::Rule;
use super::uses::Uses;

pub(super) fn run(net: &mut Net) -> Findings {
    Rule { applies: |op| matches!(op, Op::Slice(_)), fuse }.run(net)
}

fn fuse(program: &mut Program, uses: &Uses, index: usize) -> Result<(), &'static str> {
    let Op::Slice(slice) = program.ops[index].clone() else { return Err("it is not a slice") };
    if uses.is_output(slice.out) {
        return Err("the copy is an output");
    }
    for reader in uses.readers(slice.out) {
        if matches!(program.ops[*reader], Op::Primitive(_)) {
            return Err("a primitive reads the copy");
        }
    }
    for reader in uses.readers(slice.out) {
        for operand in program.ops[*reader].operands_mut() {
            if operand.value == slice.out {
                let Operand { rows, columns, .. } = operand.clone();
                *operand = slice.x.window(rows, columns);
            }
        }
    }
    program.ops.remove(index);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::run;
    use crate::program::{Axis, Op, Origin, Primitive, PrimitiveFn, View};
    use crate::tests::sketch::Sketch;

    #[test]
    fn attention_reads_packed_columns() {
        let mut s = Sketch::new("qkv");
        let x = s.table(0, 5, 8);
        let qkv = s.linear(x, "qkv", 24, false);
        let [q, k, v] = [0, 1, 2].map(|i| s.columns(qkv, 8 * i..8 * (i + 1)));
        let a = s.attention(q, k, v, 2);
        let mut net = s.finish(&[a]);
        assert_eq!(run(&mut net).fused, 3);
        let Op::Attention(attention) = &net.body.ops[1] else { panic!("{}", net.body) };
        assert_eq!((attention.k.value, attention.k.columns.clone()), (qkv, 8..16));
    }

    #[test]
    fn slices_of_slices_add_up() {
        let mut s = Sketch::new("nested");
        let x = s.table(0, 6, 8);
        let y = s.rows(x, 2..6);
        let z = s.rows(y, 1..3);
        let out = s.affine(z, 2.0, 0.0);
        let mut net = s.finish(&[out]);
        assert_eq!(run(&mut net).fused, 2);
        let Op::Affine(affine) = &net.body.ops[0] else { panic!("{}", net.body) };
        assert_eq!((affine.x.value, affine.x.rows.clone()), (x, 3..5));
    }

    #[test]
    fn refuses_outputs_and_primitives() {
        let mut s = Sketch::new("kept");
        let x = s.table(0, 6, 8);
        let y = s.rows(x, 2..6);
        let z = s.rows(x, 0..1);
        let axis = |length| Axis { length, broadcast: false, padding: (0, 0), slice: None };
        let inputs = vec![View { value: y, axes: vec![axis(None), axis(Some(4)), axis(Some(8))], order: vec![0, 1, 2] }];
        let out = s.value(&[4, 8], Origin::Op);
        s.program.ops.push(Op::Primitive(Primitive { f: PrimitiveFn::Sqrt, inputs, out }));
        let found = run(&mut s.finish(&[z, out]));
        let reasons: Vec<_> = found.refused.iter().map(|refusal| refusal.reason).collect();
        assert_eq!((found.fused, reasons), (0, vec!["a primitive reads the copy", "the copy is an output"]));
    }
}
