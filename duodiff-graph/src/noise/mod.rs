//! Gaussian noise keyed by (seed, image, draw, element): a pure function, the same on every executor.

/// Standard normal noise.
pub trait Noise {
    /// Fills `out` (`[C, H, W]` of one image) with draw `draw` of image `index`. Draw 0 is x_T, draw k + 1 the noise of
    /// step k.
    fn fill(&self, index: u64, draw: u32, out: &mut [f32]);
}
