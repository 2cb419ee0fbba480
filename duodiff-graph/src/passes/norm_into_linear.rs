//! `linear(norm(x))` → the linear normalises the rows that it reads.
//!
//! Preconditions: all readers are linears that read whole rows of the norm as their only source and have no norm yet. Several
//! readers repeat the normalisation, which must stay small beside their products.

use crate::program::{Linear, Net, Norm, Op, Program};

use super::Findings;
use super::rule::Rule;
use super::uses::Uses;

/// Operations of normalising one element, about.
const NORM_COST: usize = 8;
/// Repeated normalisation may add this part of the products' cost.
const MOST_REPEATED: usize = 16;

pub(super) fn run(net: &mut Net) -> Findings {
    Rule { applies: |op| matches!(op, Op::Norm(_)), fuse }.run(net)
}

fn fuse(program: &mut Program, uses: &Uses, index: usize) -> Result<(), &'static str> {
    let Op::Norm(norm) = program.ops[index].clone() else { return Err("it is not a norm") };
    if uses.is_output(norm.out) {
        return Err("the normalised rows are an output");
    }
    let readers = uses.readers(norm.out);
    let mut widths = 0;
    for reader in readers {
        widths += check_reader(program, &norm, *reader)?;
    }
    if readers.len().saturating_sub(1) * NORM_COST * MOST_REPEATED > 2 * widths {
        return Err("its readers are so narrow that normalising once is cheaper");
    }
    for reader in readers {
        if let Op::Linear(linear) = &mut program.ops[*reader] {
            let source = &mut linear.sources[0];
            *source = norm.x.window(source.rows.clone(), source.columns.clone());
            linear.norm = Some(norm.norm.clone());
        }
    }
    program.ops.remove(index);
    Ok(())
}

/// The reader's width N, if the norm may move into it.
fn check_reader(program: &Program, norm: &Norm, reader: usize) -> Result<usize, &'static str> {
    let Op::Linear(linear) = &program.ops[reader] else { return Err("an operator other than a linear reads it") };
    let Linear { sources, norm: own_norm, residual, out, .. } = linear;
    if residual.as_ref().is_some_and(|residual| residual.value == norm.out) {
        return Err("a linear adds it as its residual");
    }
    if sources.len() != 1 {
        return Err("a linear joins it with another source");
    }
    if own_norm.is_some() {
        return Err("a linear that reads it has a norm already");
    }
    if sources[0].columns.len() != norm.x.columns.len() {
        return Err("a linear reads some of its columns only");
    }
    Ok(program.value(*out).shape[1])
}

#[cfg(test)]
mod tests {
    use super::run;
    use crate::program::{JoinAxis, Op};
    use crate::tests::sketch::Sketch;

    #[test]
    fn fuses_a_norm_and_keeps_the_rows_that_are_read() {
        let mut s = Sketch::new("norm");
        let x = s.table(0, 5, 4);
        let n = s.norm(x, "norm");
        let y = s.linear(n, "fc", 6, true);
        if let Op::Linear(linear) = &mut s.program.ops[1] {
            linear.sources[0].rows = 2..5;
        }
        s.program.values[y.index()].shape = vec![3, 6];
        let mut net = s.finish(&[y]);
        assert_eq!(run(&mut net).fused, 1);
        let [Op::Linear(linear)] = &net.body.ops[..] else { panic!("{}", net.body) };
        assert_eq!((linear.sources[0].value, linear.sources[0].rows.clone()), (x, 2..5));
        assert!(linear.norm.is_some());
    }

    #[test]
    fn fuses_into_several_wide_linears_but_not_into_narrow_ones() {
        for (width, fused) in [(64, 1), (8, 0)] {
            let mut s = Sketch::new("several");
            let x = s.table(0, 5, 4);
            let n = s.norm(x, "norm");
            let outputs = ["q", "k", "v"].map(|key| s.linear(n, key, width, true));
            let found = run(&mut s.finish(&outputs));
            assert_eq!(found.fused, fused);
        }
    }

    #[test]
    fn refuses_other_readers() {
        let mut s = Sketch::new("other");
        let x = s.table(0, 5, 4);
        let n = s.norm(x, "norm");
        let y = s.linear(n, "fc", 4, true);
        let z = s.mul(y, n);
        let found = run(&mut s.finish(&[z]));
        assert_eq!((found.fused, found.refused[0].reason), (0, "an operator other than a linear reads it"));
    }

    #[test]
    fn refuses_a_part_of_the_columns() {
        let mut s = Sketch::new("columns");
        let x = s.table(0, 5, 4);
        let n = s.norm(x, "norm");
        let part = s.columns(n, 0..2);
        let y = s.linear(part, "fc", 4, true);
        let mut net = s.finish(&[y]);
        super::super::read_in_place::run(&mut net);
        let found = run(&mut net);
        assert_eq!((found.fused, found.refused[0].reason), (0, "a linear reads some of its columns only"));
    }

    #[test]
    fn refuses_a_joined_source() {
        let mut s = Sketch::new("joined");
        let x = s.table(0, 5, 4);
        let n = s.norm(x, "norm");
        let j = s.join(JoinAxis::Columns, &[n, x]);
        let y = s.linear(j, "fc", 4, true);
        let mut net = s.finish(&[y]);
        super::super::join_into_linear::run(&mut net);
        let found = run(&mut net);
        assert_eq!((found.fused, found.refused[0].reason), (0, "a linear joins it with another source"));
    }
}
