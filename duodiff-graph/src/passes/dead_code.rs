//! Operators, values and step tables that nobody reads are dropped, and the values numbered anew.

use std::collections::BTreeMap;

use crate::program::{Net, Origin, Program, ValueId};

use super::Findings;

pub(super) fn run(net: &mut Net) -> Findings {
    let count = |net: &Net| net.prelude.ops.len() + net.body.ops.len();
    let before = count(net);
    remove_dead_ops(&mut net.body);
    remove_dead_values(&mut net.body);
    remove_dead_tables(net);
    remove_dead_ops(&mut net.prelude);
    remove_dead_values(&mut net.prelude);
    Findings { fused: before - count(net), refused: vec![] }
}

/// Drops operators whose result nobody reads.
pub(super) fn remove_dead_ops(program: &mut Program) {
    let mut is_read = vec![false; program.values.len()];
    for output in &program.outputs {
        is_read[output.index()] = true;
    }
    for op in program.ops.iter().rev() {
        if is_read[op.out().index()] {
            for input in op.inputs() {
                is_read[input.value().index()] = true;
            }
        }
    }
    program.ops.retain(|op| is_read[op.out().index()]);
}

/// Drops values that no operator names, keeping the order of the others.
fn remove_dead_values(program: &mut Program) {
    let mut is_named = vec![false; program.values.len()];
    let outputs = program.outputs.iter_mut();
    let mut ids: Vec<&mut ValueId> = program.ops.iter_mut().flat_map(|op| op.ids_mut()).chain(outputs).collect();
    for id in &ids {
        is_named[id.index()] = true;
    }
    let mut renamed = Vec::with_capacity(is_named.len());
    let mut next = 0;
    for named in &is_named {
        renamed.push(ValueId::new(next));
        next += usize::from(*named);
    }
    for id in &mut ids {
        **id = renamed[id.index()];
    }
    let mut named = is_named.into_iter();
    program.values.retain(|_| named.next().unwrap_or_default());
}

/// Drops step tables that the body does not read.
fn remove_dead_tables(net: &mut Net) {
    let mut kept = BTreeMap::new();
    for value in &mut net.body.values {
        if let Origin::StepTable(table) = &mut value.origin {
            let next = kept.len();
            *table = *kept.entry(*table).or_insert(next);
        }
    }
    let mut outputs = vec![None; kept.len()];
    for (old, new) in kept {
        outputs[new] = Some(net.prelude.outputs[old]);
    }
    net.prelude.outputs = outputs.into_iter().flatten().collect();
}

#[cfg(test)]
mod tests {
    use super::run;
    use crate::program::{Activation, Origin};
    use crate::tests::sketch::Sketch;

    #[test]
    fn drops_what_nobody_reads() {
        let mut s = Sketch::new("dead");
        let x = s.table(0, 3, 4);
        let dead = s.linear(x, "dead", 4, true);
        s.activate(dead, Activation::Silu);
        let out = s.affine(x, 2.0, 0.0);
        let mut net = s.finish(&[out]);
        net.prelude.outputs = vec![net.prelude.add_value([3, 4], Origin::Sinusoid)];
        assert_eq!(run(&mut net).fused, 2);
        assert_eq!(net.body.to_string(), "dead\n  %0 [3, 4] = step table 0\n  %1 [3, 4] = affine(%0, scale 2.0, offset 0.0)\n  return %1");
    }

    #[test]
    fn drops_tables_that_nobody_reads() {
        let mut s = Sketch::new("tables");
        s.table(0, 1, 4);
        let x = s.table(1, 1, 6);
        let out = s.affine(x, 2.0, 0.0);
        let mut net = s.finish(&[out]);
        net.prelude.outputs = [4, 6].map(|width| net.prelude.add_value([1, width], Origin::Sinusoid)).into();
        run(&mut net);
        assert_eq!(net.prelude.to_string(), "tables\n  %0 [1, 6] = sinusoid\n  return %0");
        assert_eq!(net.verify(), Ok(()));
    }

    #[test]
    fn keeps_what_is_read() {
        let mut s = Sketch::new("alive");
        let x = s.value(&[1, 4], Origin::Sinusoid);
        let y = s.linear(x, "a", 4, true);
        let mut net = s.finish(&[y]);
        let before = net.clone();
        assert_eq!((run(&mut net).fused, net), (0, before));
    }
}
