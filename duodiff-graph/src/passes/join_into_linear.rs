//! `linear(join_columns(a, b))` → a linear of two sources; the skip connections of a U-ViT.
//!
//! Preconditions: two parts; all readers are linears that read whole rows of the join as their only source.

use crate::program::{Join, JoinAxis, Net, Op, Program};

use super::Findings;
use super::rule::Rule;
use super::uses::Uses;

pub(super) fn run(net: &mut Net) -> Findings {
    Rule { applies: |op| matches!(op, Op::Join(join) if join.axis == JoinAxis::Columns), fuse }.run(net)
}

fn fuse(program: &mut Program, uses: &Uses, index: usize) -> Result<(), &'static str> {
    let Op::Join(join) = program.ops[index].clone() else { return Err("it is not a join") };
    if uses.is_output(join.out) {
        return Err("the joined columns are an output");
    }
    if join.parts.len() != 2 {
        return Err("it has more than two parts");
    }
    let width = join.parts.iter().map(|part| part.columns.len()).sum();
    for reader in uses.readers(join.out) {
        check_reader(program, &join, *reader, width)?;
    }
    for reader in uses.readers(join.out) {
        if let Op::Linear(linear) = &mut program.ops[*reader] {
            let rows = linear.sources[0].rows.clone();
            linear.sources = join.parts.iter().map(|part| part.window(rows.clone(), 0..part.columns.len())).collect();
        }
    }
    program.ops.remove(index);
    Ok(())
}

fn check_reader(program: &Program, join: &Join, reader: usize, width: usize) -> Result<(), &'static str> {
    let Op::Linear(linear) = &program.ops[reader] else { return Err("an operator other than a linear reads it") };
    if linear.residual.as_ref().is_some_and(|residual| residual.value == join.out) {
        return Err("a linear adds it as its residual");
    }
    if linear.sources.len() != 1 {
        return Err("a linear joins it with another source");
    }
    if linear.sources[0].columns.len() != width {
        return Err("a linear reads some of its columns only");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::run;
    use crate::program::{JoinAxis, Op, ValueId};
    use crate::tests::sketch::Sketch;

    fn join(s: &mut Sketch, parts: usize) -> ValueId {
        let parts: Vec<_> = (0..parts).map(|index| s.table(index, 3, 4)).collect();
        s.join(JoinAxis::Columns, &parts)
    }

    #[test]
    fn fuses_a_skip_connection() {
        let mut s = Sketch::new("skip");
        let j = join(&mut s, 2);
        let y = s.linear(j, "skip_linear", 4, true);
        let mut net = s.finish(&[y]);
        assert_eq!(run(&mut net).fused, 1);
        let [Op::Linear(linear)] = &net.body.ops[..] else { panic!("{}", net.body) };
        assert_eq!(linear.sources.iter().map(|source| source.value).collect::<Vec<_>>(), [ValueId::new(0), ValueId::new(1)]);
    }

    #[test]
    fn refuses_three_parts() {
        let mut s = Sketch::new("three");
        let j = join(&mut s, 3);
        let y = s.linear(j, "skip_linear", 4, true);
        let found = run(&mut s.finish(&[y]));
        assert_eq!((found.fused, found.refused[0].reason), (0, "it has more than two parts"));
    }

    #[test]
    fn refuses_other_readers() {
        let mut s = Sketch::new("other");
        let j = join(&mut s, 2);
        let y = s.affine(j, 2.0, 0.0);
        let found = run(&mut s.finish(&[y]));
        assert_eq!((found.fused, found.refused[0].reason), (0, "an operator other than a linear reads it"));
    }
}
