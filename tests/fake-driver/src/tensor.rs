//! Tensor maps: what the documentation of NVIDIA's driver wants of them, and a layout of our own that `tests/emulator` reads.

use crate::code::{Code, INVALID_VALUE, NOT_SUPPORTED};

/// Bytes of an element, by data type.
const ELEMENTS: [u32; 13] = [1, 2, 4, 4, 8, 8, 2, 4, 8, 2, 4, 4, 4];

/// Most elements of a box along an axis, columns of a pixel, and pixels of a copy.
const BOX: u32 = 256;
const CHANNELS: u32 = 256;
const PIXELS: u32 = 1024;

/// Marks a tensor map of ours.
const MAGIC: u64 = u64::from_le_bytes(*b"TSOR-MAP");

/// A tensor map: `TensorLayout` of `tests/emulator/tensor_emulator.hpp`.
#[repr(C, align(64))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    address: u64,
    magic: u64,
    /// 0: boxes. 1: rows that run on from image to image.
    mode: u32,
    rank: u32,
    element: u32,
    swizzle: u32,
    /// Elements of a copy along each axis; columns and rows of images.
    part: [u32; 5],
    reserved: u32,
    sizes: [u64; 5],
    strides: [u64; 4],
}

impl Layout {
    /// The map as kernels take it.
    pub fn words(self) -> [u64; 16] {
        // SAFETY: plain numbers without gaps, of the same size.
        unsafe { std::mem::transmute(self) }
    }
}

/// What both kinds of map have.
#[derive(Clone, Copy, Debug)]
pub struct Tensor<'a> {
    /// `CUtensorMapDataType`.
    pub element: u32,
    /// Where it lies.
    pub address: u64,
    /// Elements along each axis, innermost first.
    pub sizes: &'a [u64],
    /// Bytes along each axis but the innermost.
    pub strides: &'a [u64],
    /// Steps along each axis.
    pub steps: &'a [u32],
    /// `CUtensorMapInterleave`, `CUtensorMapSwizzle`, `CUtensorMapL2promotion`, `CUtensorMapFloatOOBfill`.
    pub modes: [u32; 4],
}

impl Tensor<'_> {
    /// A map whose copies are boxes.
    pub fn tiled(self, part: &[u32]) -> Result<Layout, Code> {
        let inner = self.check(1, part.first().copied().unwrap_or_default())?;
        let boxed = part.iter().all(|size| (1..=BOX).contains(size)) && part.len() == self.sizes.len() && inner.is_multiple_of(16);
        if !boxed {
            return Err(INVALID_VALUE);
        }
        self.lay_out(0, 2, part)
    }

    /// A map whose copies are `pixels` pixels of `channels` elements, one after the other in a box of images.
    pub fn im2col(self, lower: &[i32], upper: &[i32], channels: u32, pixels: u32) -> Result<Layout, Code> {
        let inner = self.check(3, channels)?;
        // Corners have 16 bits between them.
        let range = match self.sizes.len() {
            3 => -32768..=32767,
            4 => -128..=127,
            _ => -16..=15,
        };
        let corners = lower.iter().chain(upper).all(|corner| range.contains(corner));
        let box_is_empty =
            lower.iter().zip(upper).zip(&self.sizes[1..]).any(|((lower, upper), size)| *size as i64 + i64::from(upper - lower) <= 0);
        let counted = (1..=CHANNELS).contains(&channels) && (1..=PIXELS).contains(&pixels) && inner.is_multiple_of(16);
        if !corners || box_is_empty || !counted || lower.len() + 2 != self.sizes.len() || upper.len() != lower.len() {
            return Err(INVALID_VALUE);
        }
        if lower.iter().chain(upper).any(|corner| *corner != 0) {
            return Err(NOT_SUPPORTED);
        }
        self.lay_out(1, 3, &[channels, pixels])
    }

    /// Refuses what no map may be; bytes of a copy's rows.
    fn check(self, least: usize, columns: u32) -> Result<u32, Code> {
        let element = *ELEMENTS.get(self.element as usize).ok_or(INVALID_VALUE)?;
        let Self { address, sizes, strides, steps, modes: [interleave, swizzle, promotion, fill], .. } = self;
        let rank = sizes.len();
        let ranked = (least..=5).contains(&rank) && strides.len() + 1 == rank && steps.len() == rank;
        let sized = sizes.iter().all(|size| (1..=1 << 32).contains(size));
        // Each stride spans the axes inside it; those of images count whole rows.
        let inner = sizes.first().copied().unwrap_or_default().saturating_mul(element.into());
        let strided = strides.iter().all(|stride| stride.is_multiple_of(16) && (1..1 << 40).contains(stride));
        let mut pairs = strides.windows(2).zip(sizes.iter().skip(1));
        let spans = pairs.all(|(pair, size)| pair[1].is_multiple_of(pair[0].max(1)) && pair[1] >= pair[0].saturating_mul(*size));
        let strided = strided && spans && strides.first().is_none_or(|stride| *stride >= inner);
        let stepped = steps.iter().all(|step| (1..=8).contains(step));
        if !ranked || !sized || !strided || !stepped || address == 0 || !address.is_multiple_of(16) {
            return Err(INVALID_VALUE);
        }
        let row = columns.checked_mul(element).ok_or(INVALID_VALUE)?;
        let span = match swizzle {
            0 => u32::MAX,
            1..=3 => 16 << swizzle,
            _ => return Err(INVALID_VALUE),
        };
        let is_float = matches!(self.element, 6..=12);
        let moded = interleave <= 2 && promotion <= 3 && (fill == 0 || fill == 1 && is_float) && row <= span;
        match (moded, interleave) {
            (true, 0) => Ok(row),
            (true, _) => Err(NOT_SUPPORTED),
            (false, _) => Err(INVALID_VALUE),
        }
    }

    /// The map, if the emulator knows what to do with it.
    fn lay_out(self, mode: u32, rank: usize, part: &[u32]) -> Result<Layout, Code> {
        let [_, swizzle, _, fill] = self.modes;
        if self.sizes.len() != rank || fill != 0 || self.steps.iter().any(|step| *step != 1) {
            return Err(NOT_SUPPORTED);
        }
        let mut layout = Layout {
            address: self.address,
            magic: MAGIC,
            mode,
            rank: rank as u32,
            element: ELEMENTS[self.element as usize],
            swizzle: if swizzle == 0 { 0 } else { 16 << swizzle },
            part: [0; 5],
            reserved: 0,
            sizes: [0; 5],
            strides: [0; 4],
        };
        layout.part[..part.len()].copy_from_slice(part);
        layout.sizes[..rank].copy_from_slice(self.sizes);
        layout.strides[..rank - 1].copy_from_slice(self.strides);
        Ok(layout)
    }
}

#[cfg(test)]
mod tests {
    use super::{Layout, Tensor};
    use crate::code::{Code, INVALID_VALUE, NOT_SUPPORTED};

    /// Rows and columns of bfloat16 with a swizzle of 128 bytes.
    const GOOD: Tensor = Tensor { element: 9, address: 0x1000, sizes: &[512, 257], strides: &[1024], steps: &[1, 1], modes: [0, 3, 2, 0] };

    fn images<'a>() -> Tensor<'a> {
        Tensor { sizes: &[512, 256, 3], strides: &[1024, 1024 * 257], steps: &[1, 1, 1], ..GOOD }
    }

    #[test]
    fn maps_are_laid_out() {
        let Layout { address, mode, rank, element, swizzle, part, sizes, strides, .. } = GOOD.tiled(&[64, 128]).unwrap();
        assert_eq!((address, mode, rank, element, swizzle), (0x1000, 0, 2, 2, 128));
        assert_eq!((part, sizes, strides), ([64, 128, 0, 0, 0], [512, 257, 0, 0, 0], [1024, 0, 0, 0]));
        let Layout { mode, rank, part, sizes, .. } = images().im2col(&[0], &[0], 64, 128).unwrap();
        assert_eq!((mode, rank, part, sizes), (1, 3, [64, 128, 0, 0, 0], [512, 256, 3, 0, 0]));
        assert_eq!(size_of::<Layout>(), 128);
    }

    #[test]
    fn what_the_documentation_forbids_is_refused() {
        let refused = |found: Result<Layout, Code>| assert_eq!(found, Err(INVALID_VALUE));
        for (tensor, part) in [
            (Tensor { address: 0x1008, ..GOOD }, [64, 128]),
            (Tensor { address: 0, ..GOOD }, [64, 128]),
            (Tensor { element: 13, ..GOOD }, [64, 128]),
            (Tensor { sizes: &[512, 0], ..GOOD }, [64, 128]),
            (Tensor { sizes: &[512, (1 << 32) + 1], ..GOOD }, [64, 128]),
            (Tensor { sizes: &[512], ..GOOD }, [64, 128]),
            (Tensor { strides: &[1032], ..GOOD }, [64, 128]),
            (Tensor { strides: &[1 << 40], ..GOOD }, [64, 128]),
            (Tensor { strides: &[512], ..GOOD }, [64, 128]),
            (Tensor { steps: &[1, 9], ..GOOD }, [64, 128]),
            (Tensor { steps: &[1, 0], ..GOOD }, [64, 128]),
            (Tensor { modes: [0, 3, 4, 0], ..GOOD }, [64, 128]),
            (Tensor { modes: [3, 3, 2, 0], ..GOOD }, [64, 128]),
            // A row is wider than the pattern.
            (Tensor { modes: [0, 2, 2, 0], ..GOOD }, [64, 128]),
            (GOOD, [72, 128]),
            (GOOD, [64, 257]),
            (GOOD, [64, 0]),
            (GOOD, [4, 128]),
            // Only numbers with a fraction have a NaN.
            (Tensor { element: 1, modes: [0, 3, 2, 1], ..GOOD }, [64, 128]),
        ] {
            refused(tensor.tiled(&part));
        }
        refused(images().im2col(&[0], &[0], 64, 1025));
        refused(images().im2col(&[0], &[0], 257, 128));
        refused(images().im2col(&[0], &[-256], 64, 128));
        refused(images().im2col(&[40000], &[0], 64, 128));
        refused(images().im2col(&[0, 0], &[0, 0], 64, 128));
        refused(Tensor { strides: &[1024, 1536 * 171], ..images() }.im2col(&[0], &[0], 64, 128));
        refused(Tensor { strides: &[1024, 1024 * 255], ..images() }.im2col(&[0], &[0], 64, 128));
        refused(GOOD.im2col(&[], &[], 64, 128));
    }

    #[test]
    fn what_is_not_emulated_is_told_apart() {
        assert_eq!(images().tiled(&[64, 128, 1]), Err(NOT_SUPPORTED));
        assert_eq!(images().im2col(&[-1], &[0], 64, 128), Err(NOT_SUPPORTED));
        assert_eq!(Tensor { steps: &[1, 2], ..GOOD }.tiled(&[64, 128]), Err(NOT_SUPPORTED));
    }
}
