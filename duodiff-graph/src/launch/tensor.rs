//! Tensors that the GPU's copy engine reads by itself, as recipes of the maps that it takes (`CUtensorMap`): data for the driver to encode.

use std::fmt::{self, Display, Formatter};

use super::{Address, Element, Window};

/// Bytes of a row of a copy, which are also the span of the pattern that they are laid out in: `kernels/slices.cuh`.
pub const SPAN: u32 = 128;

/// A tensor, and what a copy takes of it. What lies outside comes as zeros.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tensor {
    /// Where it starts; none where there is no such operand.
    pub base: Option<Address>,
    /// Its type.
    pub element: Element,
    /// Elements of a row, and rows; then images, if there is a gap between them.
    pub sizes: Vec<u64>,
    /// Bytes from row to row, and from image to image.
    pub strides: Vec<u64>,
    /// Columns and rows of a copy. Without images they are a box; otherwise rows run on from one image to the next.
    pub part: [u32; 2],
}

impl Tensor {
    /// No operand.
    pub const ABSENT: Self = Self { base: None, element: Element::Bf16, sizes: Vec::new(), strides: Vec::new(), part: [0; 2] };

    /// Rows of `columns` elements without gaps, copied `part` rows at a time.
    pub fn dense(base: Address, element: Element, [rows, columns]: [u32; 2], part: u32) -> Self {
        let window = Window { base: Some(base), image: 0, stride: columns, rows, columns, step: 0 };
        Self::of(&window, element, rows, part)
    }

    /// The first `total` rows of a window, counted over the batch, copied `part` rows at a time. The window is no table of steps.
    pub fn of(window: &Window, element: Element, total: u32, part: u32) -> Self {
        let bytes = element.bytes() as u64;
        let (columns, rows) = (u64::from(window.columns), u64::from(window.rows));
        let (stride, image) = (u64::from(window.stride) * bytes, window.image * bytes);
        let part = [SPAN / element.bytes() as u32, part];
        let (sizes, strides) = if total <= window.rows || image == rows * stride {
            (vec![columns, total.into()], vec![stride])
        } else {
            (vec![columns, rows, u64::from(total).div_ceil(rows)], vec![stride, image])
        };
        Self { base: window.base.clone(), element, sizes, strides, part }
    }

    /// Rows of an image, if there is a gap between them: 0 otherwise.
    pub fn rows(&self) -> u32 {
        if self.sizes.len() > 2 { self.sizes[1] as u32 } else { 0 }
    }
}

/// `@256[bf16 514 x 128 by 64 x 64 swizzle 128]`: rows and columns of the tensor, then of a copy, and the span of the pattern;
/// `[bf16 3 x 256 x 128 stride 256, 65792 by …]` with images in front, and the bytes from row to row and from image to image where they do
/// not follow.
impl Display for Tensor {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Some(base) = &self.base else { return f.write_str("-") };
        let list = |sizes: &mut dyn Iterator<Item = String>, mark| sizes.collect::<Vec<_>>().join(mark);
        write!(f, "{base}[{} {}", self.element, list(&mut self.sizes.iter().rev().map(u64::to_string), " x "))?;
        if self.strides[..] != [self.sizes[0] * self.element.bytes() as u64] {
            write!(f, " stride {}", list(&mut self.strides.iter().map(u64::to_string), ", "))?;
        }
        write!(f, " by {} x {} swizzle {SPAN}]", self.part[1], self.part[0])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::launch::Region;

    fn window(rows: u32, columns: u32) -> Window {
        let base = Some(Address { region: Region::Arena, offset: 256 });
        Window { base, image: 257 * 512, stride: 512, rows, columns, step: 0 }
    }

    #[test]
    fn rows_without_gaps_are_one_run() {
        let tensor = Tensor::of(&window(257, 512), Element::Bf16, 3 * 257, 128);
        assert_eq!((&tensor.sizes[..], &tensor.strides[..], tensor.part, tensor.rows()), (&[512, 771][..], &[1024][..], [64, 128], 0));
        assert_eq!(tensor.to_string(), "@256[bf16 771 x 512 by 128 x 64 swizzle 128]");
        // One image has no gaps whatever its place.
        assert_eq!(
            Tensor::of(&window(256, 128), Element::Bf16, 256, 64).to_string(),
            "@256[bf16 256 x 128 stride 1024 by 64 x 64 swizzle 128]"
        );
    }

    #[test]
    fn gaps_between_images_are_an_axis() {
        let tensor = Tensor::of(&window(256, 512), Element::Bf16, 3 * 256, 128);
        assert_eq!((&tensor.sizes[..], &tensor.strides[..], tensor.rows()), (&[512, 256, 3][..], &[1024, 263_168][..], 256));
        assert_eq!(tensor.to_string(), "@256[bf16 3 x 256 x 512 stride 1024, 263168 by 128 x 64 swizzle 128]");
        assert_eq!(Tensor::ABSENT.to_string(), "-");
    }
}
