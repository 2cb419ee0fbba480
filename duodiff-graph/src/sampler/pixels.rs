//! From samples in −1..1 to bytes, and from images to a grid of them.

use super::Image;

/// How a brightness of 0..255 becomes a byte.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Quantize {
    /// The whole part of (x + 1)·127.5, as DuoDiff and ADM do.
    #[default]
    Trunc,
    /// The nearest of (x + 1)·127.5, as U-ViT does.
    Round,
}

impl Quantize {
    /// The byte of one value; values outside −1..1 are clamped.
    fn byte(self, value: f32) -> u8 {
        let brightness = (value + 1.0) * 127.5;
        let whole = if self == Self::Round { (brightness + 0.5).floor() } else { brightness };
        whole.clamp(0.0, 255.0) as u8
    }
}

/// An image of bytes: rows from the top, pixels from the left, channels interleaved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pixels {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Bytes per pixel.
    pub channels: usize,
    /// `[height, width, channels]`.
    pub data: Vec<u8>,
}

impl Image {
    /// The sample as bytes.
    pub fn pixels(&self, quantize: Quantize) -> Pixels {
        let (channels, height, width) = (self.shape.channels, self.shape.height, self.shape.width);
        let plane = height * width;
        let pixel = |at: usize| (0..channels).map(move |channel| quantize.byte(self.data[channel * plane + at]));
        Pixels { width, height, channels, data: (0..plane).flat_map(pixel).collect() }
    }
}

impl Pixels {
    /// A grid of images of one size, row by row, `columns` wide; empty places are black. `None` if there are no images or columns, or
    /// sizes differ.
    pub fn grid(images: &[Self], columns: usize) -> Option<Self> {
        let first = images.first().filter(|_| columns > 0)?;
        let (width, height, channels) = (first.width, first.height, first.channels);
        if images.iter().any(|image| (image.width, image.height, image.channels) != (width, height, channels)) {
            return None;
        }
        let columns = columns.min(images.len());
        let (row, stride) = (width * channels, columns * width * channels);
        let rows = images.len().div_ceil(columns);
        let mut data = vec![0; rows * height * stride];
        for (index, image) in images.iter().enumerate() {
            let corner = index / columns * height * stride + index % columns * row;
            for y in 0..height {
                data[corner + y * stride..][..row].copy_from_slice(&image.data[y * row..][..row]);
            }
        }
        Some(Self { width: columns * width, height: rows * height, channels, data })
    }
}
