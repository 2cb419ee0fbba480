//! What depends on the step alone moves into the prelude, and the body reads it as a step table: the sinusoid, a time MLP.
//!
//! Precondition: the value where the body takes over is tokens.

use std::collections::BTreeMap;

use crate::program::{Net, Op, Origin, Program, Value, ValueId};

use super::dead_code::remove_dead_ops;
use super::uses::Uses;
use super::{Findings, Refusal};

/// What a value depends on, the strongest last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Depends {
    Parameters,
    Step,
    Image,
}

pub(super) fn run(net: &mut Net) -> Findings {
    let mut findings = Findings::default();
    let depends = dependencies(&net.body);
    let uses = Uses::of(&net.body);
    let mut import = Import { body: &net.body, uses: &uses, prelude: &mut net.prelude, known: BTreeMap::new() };
    let mut tables = Vec::new();
    for id in (0..net.body.values.len()).map(ValueId::new) {
        if !is_frontier(&net.body, &uses, &depends, id) {
            continue;
        }
        if net.body.value(id).shape.len() != 2 {
            let op = uses.writer(id).map_or_else(|| id.to_string(), |writer| net.body.text_of(&net.body.ops[writer]));
            findings.refused.push(Refusal { op, reason: "a step table holds tokens" });
            continue;
        }
        let computed = import.value(id);
        tables.push((id, import.prelude.outputs.len()));
        import.prelude.outputs.push(computed);
    }
    findings.fused = tables.len();
    for (id, table) in tables {
        net.body.values[id.index()].origin = Origin::StepTable(table);
    }
    let values = &net.body.values;
    net.body.ops.retain(|op| !matches!(values[op.out().index()].origin, Origin::StepTable(_)));
    remove_dead_ops(&mut net.body);
    findings
}

fn dependencies(program: &Program) -> Vec<Depends> {
    let of_input = |value: &Value| match value.origin {
        Origin::Sinusoid => Depends::Step,
        Origin::Image | Origin::Label | Origin::StepTable(_) => Depends::Image,
        Origin::Param { .. } | Origin::Op | Origin::Shared => Depends::Parameters,
    };
    let mut depends: Vec<Depends> = program.values.iter().map(of_input).collect();
    for op in &program.ops {
        let strongest = op.inputs().iter().map(|input| depends[input.value().index()]).max();
        depends[op.out().index()] = strongest.unwrap_or(Depends::Parameters);
    }
    depends
}

/// Whether a value depends on the step alone and is read by what depends on more, or is an output.
fn is_frontier(program: &Program, uses: &Uses, depends: &[Depends], id: ValueId) -> bool {
    let read_by_more = |reader: &usize| depends[program.ops[*reader].out().index()] == Depends::Image;
    depends[id.index()] == Depends::Step && (uses.is_output(id) || uses.readers(id).iter().any(read_by_more))
}

/// Copies values of the body, and what they are computed from, into the prelude.
struct Import<'a> {
    body: &'a Program,
    uses: &'a Uses,
    prelude: &'a mut Program,
    /// From ids of the body to ids of the prelude.
    known: BTreeMap<ValueId, ValueId>,
}

impl Import<'_> {
    fn value(&mut self, id: ValueId) -> ValueId {
        if let Some(known) = self.known.get(&id) {
            return *known;
        }
        let writer = self.uses.writer(id).map(|writer| self.body.ops[writer].clone());
        if let Some(op) = &writer {
            for input in op.inputs() {
                self.value(input.value());
            }
        }
        let Value { shape, origin } = self.body.value(id).clone();
        let copy = self.prelude.add_value(shape, origin);
        self.known.insert(id, copy);
        self.prelude.ops.extend(writer.map(|op| self.renamed(op)));
        copy
    }

    fn renamed(&self, mut op: Op) -> Op {
        for id in op.ids_mut() {
            *id = self.known[id];
        }
        op
    }
}

#[cfg(test)]
mod tests {
    use super::run;
    use crate::program::{Activation, Op, Origin, Primitive, PrimitiveFn};
    use crate::tests::sketch::Sketch;

    #[test]
    fn a_time_mlp_becomes_a_table() {
        let mut s = Sketch::new("mlp");
        let image = s.value(&[1, 4, 4], Origin::Image);
        let t = s.value(&[1, 4], Origin::Sinusoid);
        let h = s.linear(t, "time.0", 8, true);
        let h = s.activate(h, Activation::Silu);
        let h = s.linear(h, "time.2", 4, true);
        let x = s.patchify(image, 2);
        let out = s.add(x, h);
        let mut net = s.finish(&[out]);
        assert_eq!(run(&mut net).fused, 1);
        assert_eq!(net.prelude.ops.iter().map(Op::name).collect::<Vec<_>>(), ["linear", "activate", "linear"]);
        assert_eq!(net.body.ops.iter().map(Op::name).collect::<Vec<_>>(), ["patchify", "add"]);
        assert_eq!(net.body.value(h).origin, Origin::StepTable(0));
        assert_eq!(net.verify(), Ok(()));
    }

    #[test]
    fn a_bare_sinusoid_becomes_a_table() {
        let mut s = Sketch::new("bare");
        let image = s.value(&[1, 4, 4], Origin::Image);
        let t = s.value(&[1, 4], Origin::Sinusoid);
        let x = s.patchify(image, 2);
        let out = s.add(x, t);
        let mut net = s.finish(&[out]);
        assert_eq!(run(&mut net).fused, 1);
        assert!(net.prelude.ops.is_empty());
        assert_eq!(net.prelude.value(net.prelude.outputs[0]).origin, Origin::Sinusoid);
        assert_eq!(net.verify(), Ok(()));
    }

    /// The second table is computed from the first.
    #[test]
    fn tables_may_share_work() {
        let mut s = Sketch::new("shared");
        let label = s.value(&[], Origin::Label);
        let y = s.embedding(label, "label", 3, 4);
        let t = s.value(&[1, 4], Origin::Sinusoid);
        let first = s.linear(t, "first", 4, true);
        let second = s.linear(first, "second", 4, true);
        let (a, b) = (s.mul(y, first), s.mul(y, second));
        let mut net = s.finish(&[a, b]);
        assert_eq!((run(&mut net).fused, net.prelude.ops.len()), (2, 2));
        assert_eq!(net.verify(), Ok(()));
    }

    #[test]
    fn an_output_may_be_a_table() {
        let mut s = Sketch::new("output");
        let t = s.value(&[1, 4], Origin::Sinusoid);
        let out = s.linear(t, "fc", 4, true);
        let mut net = s.finish(&[out]);
        assert_eq!((run(&mut net).fused, net.body.ops.len(), net.prelude.ops.len()), (1, 0, 1));
        assert_eq!(net.verify(), Ok(()));
    }

    /// adaLN: the condition adds time and class, so only the time's share is a table.
    #[test]
    fn refuses_what_depends_on_the_class_too() {
        let mut s = Sketch::new("class");
        let t = s.value(&[1, 4], Origin::Sinusoid);
        let label = s.value(&[], Origin::Label);
        let h = s.linear(t, "time", 4, true);
        let y = s.embedding(label, "label", 3, 4);
        let c = s.add(h, y);
        let out = s.linear(c, "ada", 8, true);
        let mut net = s.finish(&[out]);
        assert_eq!(run(&mut net).fused, 1);
        assert_eq!(net.body.ops.iter().map(Op::name).collect::<Vec<_>>(), ["embedding", "add", "linear"]);
        assert_eq!(net.body.value(c).origin, Origin::Op);
    }

    #[test]
    fn constants_alone_stay() {
        let mut s = Sketch::new("constant");
        let out = s.value(&[], Origin::Shared);
        s.program.ops.push(Op::Primitive(Primitive { f: PrimitiveFn::Constant(1.0), inputs: vec![], out }));
        let mut net = s.finish(&[out]);
        assert_eq!((run(&mut net).fused, net.body.ops.len()), (0, 1));
    }
}
