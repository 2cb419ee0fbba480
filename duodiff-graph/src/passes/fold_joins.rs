//! `join(join(a, b), c)` along one axis → `join(a, b, c)`.
//!
//! Precondition: the inner join is read whole, by the outer one only.

use crate::program::{Join, Net, Op, Program};

use super::Findings;
use super::rule::{Rule, replace};
use super::uses::{Uses, is_whole};

pub(super) fn run(net: &mut Net) -> Findings {
    let has_inner = |op: &Op| matches!(op, Op::Join(_));
    Rule { applies: has_inner, fuse }.run(net)
}

fn fuse(program: &mut Program, uses: &Uses, index: usize) -> Result<(), &'static str> {
    let Op::Join(outer) = &program.ops[index] else { return Err("it is not a join") };
    let inner_of = |part: &crate::program::Operand| {
        let writer = uses.writer(part.value)?;
        match &program.ops[writer] {
            Op::Join(inner) if inner.axis == outer.axis => Some((writer, inner.clone())),
            _ => None,
        }
    };
    let found = outer.parts.iter().enumerate().find_map(|(at, part)| Some((at, part, inner_of(part)?)));
    let Some((at, part, (writer, inner))) = found else { return Err("no part is a join along the same axis") };
    if !uses.is_read_once(part.value) {
        return Err("the inner join is read elsewhere too");
    }
    if !is_whole(program, part) {
        return Err("it reads a part of the inner join");
    }
    let mut parts = outer.parts.clone();
    parts.splice(at..=at, inner.parts);
    let joined = Join { axis: outer.axis, parts, out: outer.out };
    replace(program, index, Op::Join(joined), writer);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::run;
    use crate::program::{JoinAxis, Op};
    use crate::tests::sketch::Sketch;

    #[test]
    fn folds_nested_joins() {
        let mut s = Sketch::new("folds");
        let (a, b, c) = (s.table(0, 1, 4), s.table(1, 2, 4), s.table(2, 3, 4));
        let inner = s.join(JoinAxis::Rows, &[a, b]);
        let outer = s.join(JoinAxis::Rows, &[inner, c]);
        let mut net = s.finish(&[outer]);
        assert_eq!(run(&mut net).fused, 1);
        let [Op::Join(join)] = &net.body.ops[..] else { panic!("{}", net.body) };
        assert_eq!(join.parts.iter().map(|part| part.value).collect::<Vec<_>>(), [a, b, c]);
    }

    #[test]
    fn refuses_another_axis() {
        let mut s = Sketch::new("axis");
        let (a, b, c) = (s.table(0, 2, 4), s.table(1, 2, 4), s.table(2, 2, 8));
        let inner = s.join(JoinAxis::Columns, &[a, b]);
        let outer = s.join(JoinAxis::Rows, &[inner, c]);
        assert_eq!(run(&mut s.finish(&[outer])).fused, 0);
    }

    #[test]
    fn refuses_an_inner_join_that_is_read_elsewhere() {
        let mut s = Sketch::new("twice");
        let (a, b) = (s.table(0, 1, 4), s.table(1, 2, 4));
        let inner = s.join(JoinAxis::Rows, &[a, b]);
        let outer = s.join(JoinAxis::Rows, &[inner, inner]);
        let found = run(&mut s.finish(&[outer]));
        assert_eq!((found.fused, found.refused.last().unwrap().reason), (0, "the inner join is read elsewhere too"));
    }
}
