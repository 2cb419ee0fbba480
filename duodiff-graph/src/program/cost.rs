//! What one evaluation of a program costs.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Net, Op, Program};

/// Cost of one evaluation of a backbone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// Number of parameters.
    pub params: u64,
    /// Floating-point operations per image in linear layers, attention's two products and convolutions; a multiply-add counts as two.
    pub flops: u64,
}

impl Net {
    /// Cost of one evaluation, with the prelude's share as if it ran for every image. As raised, this is the network as declared.
    pub fn cost(&self) -> Cost {
        let programs = [&self.prelude, &self.body];
        // A key counts once, also if both programs read it.
        let keys: BTreeSet<_> = programs.iter().flat_map(|program| program.params()).map(|(_, key, shape)| (key, shape)).collect();
        let params = keys.iter().map(|(_, shape)| shape.iter().product::<usize>() as u64).sum();
        Cost { params, flops: programs.iter().map(|program| program.flops()).sum() }
    }
}

impl Program {
    /// Floating-point operations per image.
    pub fn flops(&self) -> u64 {
        self.ops.iter().map(|op| self.flops_of(op)).sum()
    }

    /// Floating-point operations of one operator, per image.
    pub fn flops_of(&self, op: &Op) -> u64 {
        let out = self.value(op.out()).elements() as u64;
        match op {
            Op::Linear(op) => 2 * out * op.sources.iter().map(|source| source.columns.len() as u64).sum::<u64>(),
            Op::Attention(op) => 2 * 2 * out * op.k.rows.len() as u64,
            Op::Conv3x3(op) => 2 * out * 9 * self.value(op.x).shape[0] as u64,
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::tests::uvit::Uvit;

    /// The published U-ViT-S/2 on CIFAR-10 and DuoDiff's three-block sibling.
    #[test]
    fn counts_the_published_nets() {
        for (depth, params, gflops) in [(13, 44_255_328, 24.40), (3, 10_122_848, 5.53)] {
            let cost = Uvit::new([3, 32, 32], 2, 512, 8, depth).net("net").cost();
            assert_eq!(cost.params, params);
            assert!((cost.flops as f64 / 1e9 - gflops).abs() < 0.005, "{}", cost.flops);
        }
    }
}
