//! A declared pair: its specification and, where luminal is there, its networks.

use crate::spec::PairSpec;

/// A declared pair. `duodiff!` implements this for the unit struct that it defines.
pub trait Pair: Sync {
    /// Everything about the pair but the networks themselves.
    fn spec(&self) -> PairSpec;

    /// Builds one backbone, an index into [`PairSpec::backbones`], as a `luminal::Graph` of primitive operators.
    #[cfg(feature = "compile")]
    fn build(&self, backbone: usize) -> crate::build::Built;
}
