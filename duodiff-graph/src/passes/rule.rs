//! A rewrite that looks at one kind of operator: the common shape of most passes.

use crate::program::{Net, Op, Program};

use super::uses::Uses;
use super::{Findings, Refusal};

/// Where a rule applies and what it does there.
pub(super) struct Rule {
    /// Whether the rule has something to say about an operator.
    pub applies: fn(&Op) -> bool,
    /// Rewrites the program around the operator at an index, or says why not. It may remove that operator and earlier ones.
    pub fuse: fn(&mut Program, &Uses, usize) -> Result<(), &'static str>,
}

impl Rule {
    /// Applies the rule at every operator of both programs, first to last.
    pub fn run(&self, net: &mut Net) -> Findings {
        let mut findings = Findings::default();
        for program in [&mut net.prelude, &mut net.body] {
            self.run_on(program, &mut findings);
        }
        findings
    }

    fn run_on(&self, program: &mut Program, findings: &mut Findings) {
        let mut uses = Uses::of(program);
        let mut index = 0;
        while index < program.ops.len() {
            let count = program.ops.len();
            if (self.applies)(&program.ops[index]) {
                match (self.fuse)(program, &uses, index) {
                    Ok(()) => {
                        findings.fused += 1;
                        uses = Uses::of(program);
                    }
                    Err(reason) => findings.refused.push(Refusal { op: program.text_of(&program.ops[index]), reason }),
                }
            }
            index = index + 1 + program.ops.len() - count;
        }
    }
}

/// Puts `op` in the place of the operator at `index` and removes the one at `merged`, which stands before it.
pub(super) fn replace(program: &mut Program, index: usize, op: Op, merged: usize) {
    program.ops[index] = op;
    program.ops.remove(merged);
}
