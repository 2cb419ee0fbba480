//! Gaussian noise keyed by (seed, image, draw, element): a pure function, the same on every executor.

mod gauss;
mod philox;
#[cfg(test)]
mod tests;

/// Standard normal noise.
pub trait Noise {
    /// Fills `out` (`[C, H, W]` of one image) with draw `draw` of image `index`. Draw 0 is x_T, draw k + 1 the noise of
    /// step k.
    fn fill(&self, index: u64, draw: u32, out: &mut [f32]);

    /// The key, where this is Philox's noise: devices draw that by themselves.
    fn philox(&self) -> Option<Philox> {
        None
    }
}

/// The draw that labels come from.
const LABEL_DRAW: u32 = u32::MAX;

/// Noise from Philox4x32-10 (Salmon et al. 2011) under a 64-bit seed.
///
/// Element e of draw d of image i is lane e mod 4 of the block with counter words `[e / 4, d, i low, i high]`, key
/// `[seed low, seed high]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Philox {
    /// The key.
    pub seed: u64,
}

impl Noise for Philox {
    fn fill(&self, index: u64, draw: u32, out: &mut [f32]) {
        gauss::fill(halves(self.seed), [draw, halves(index)[0], halves(index)[1]], out);
    }

    fn philox(&self) -> Option<Philox> {
        Some(*self)
    }
}

impl Philox {
    /// A number of 0..count for image `index`, uniform up to 2⁻³² relative; 0 if `count` is 0. It comes from a draw of its own.
    pub fn choice(&self, index: u64, count: u32) -> u32 {
        let [low, high] = halves(index);
        let [a, b, ..] = philox::block([0, LABEL_DRAW, low, high], halves(self.seed));
        let uniform = u128::from(a) << 32 | u128::from(b);
        u32::try_from((uniform * u128::from(count)) >> 64).expect("invariant: below count")
    }
}

/// `[low, high]` words.
fn halves(wide: u64) -> [u32; 2] {
    [wide as u32, (wide >> 32) as u32]
}
