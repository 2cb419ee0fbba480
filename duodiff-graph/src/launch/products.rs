//! The choice among kernels that compute the same: products and attention. Bits never depend on it but for the precision, and a plan's
//! modules do not depend on the batch.

use super::entry::Shape;
use super::{Element, Gpu, Kernel, LaunchError, Module, Precision};
use crate::program::Activation;

/// A product: `[m, k] · [n, k]ᵀ`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Product {
    pub m: u32,
    pub n: u32,
    pub k: u32,
    pub activation: Option<Activation>,
}

/// Attention of one head after the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heads {
    pub images: u32,
    pub heads: u32,
    pub width: u32,
    pub queries: u32,
    pub keys: u32,
}

/// Rows and columns of the tiles of the kernels for any shape, and bytes of shared memory of their blocks.
const TILE: (u64, u32) = (64, 8704);

/// Queries of a block of the kernel for any attention.
const QUERIES: u32 = 32;

/// Columns of the widest head.
pub(super) const WIDEST: u32 = 256;

impl Product {
    fn activation(self) -> &'static str {
        match self.activation {
            None => "none",
            Some(Activation::Gelu) => "gelu",
            Some(Activation::GeluTanh) => "gelu_tanh",
            Some(Activation::Silu) => "silu",
        }
    }

    /// The kernel for a product.
    pub fn choose(self, precision: Precision, _gpu: Gpu) -> Result<(Kernel, Shape), LaunchError> {
        self.generic(precision.element())
    }

    fn generic(self, element: Element) -> Result<(Kernel, Shape), LaunchError> {
        let (tile, shared) = TILE;
        let blocks = u64::from(self.m).div_ceil(tile) * u64::from(self.n).div_ceil(tile);
        let kernel = Kernel::new(Module::Linear(element), format!("linear_{element}_{}", self.activation()));
        Ok((kernel, Shape::new([blocks, 1, 1], 256, shared)?))
    }
}

impl Heads {
    /// The kernel for attention.
    pub fn choose(self, precision: Precision, _gpu: Gpu) -> Result<(Kernel, Shape), LaunchError> {
        self.generic(precision.element())
    }

    fn generic(self, element: Element) -> Result<(Kernel, Shape), LaunchError> {
        let blocks = [u64::from(self.images) * u64::from(self.heads), self.queries.div_ceil(QUERIES).into(), 1];
        // Queries, keys and values, the last two a float apart from row to row where widths are even.
        let shared = size_of::<f32>() as u32 * QUERIES * (self.width + 2 * (self.width | 1));
        Ok((Kernel::new(Module::Attention(element), format!("attention_{element}")), Shape::new(blocks, 256, shared)?))
    }
}
