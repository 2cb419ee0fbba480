//! From pixels to PNG files with text chunks and back, and from many images to one grid.

use std::io::{BufRead, Seek};

use duodiff::graph::sampler::Pixels;

/// A text chunk to write, keyword and text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Text<'a> {
    /// tEXt; characters that Latin-1 lacks become question marks.
    Latin1(&'a str, &'a str),
    /// iTXt.
    Unicode(&'a str, &'a str),
}

/// Text chunks of a PNG as read, keyword and text.
pub type Texts = Vec<(String, String)>;

/// Most that a PNG read here may ask for, pixels and text together.
const READ_LIMIT: usize = 16 << 20;

/// The PNG file of pixels, grey or RGB, with text chunks before them.
pub fn encode(pixels: &Pixels, texts: &[Text<'_>]) -> Result<Vec<u8>, png::EncodingError> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, pixels.width as u32, pixels.height as u32);
    encoder.set_color(if pixels.channels == 1 { png::ColorType::Grayscale } else { png::ColorType::Rgb });
    encoder.set_depth(png::BitDepth::Eight);
    for text in texts {
        match *text {
            Text::Latin1(keyword, text) => encoder.add_text_chunk(keyword.to_string(), latin1(text))?,
            Text::Unicode(keyword, text) => encoder.add_itxt_chunk(keyword.to_string(), text.to_string())?,
        }
    }
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&pixels.data)?;
    writer.finish()?;
    Ok(file)
}

/// Reads an image that [`encode`] wrote.
pub fn decode(file: impl BufRead + Seek) -> Result<Pixels, png::DecodingError> {
    let mut reader = png::Decoder::new_with_limits(file, png::Limits { bytes: READ_LIMIT }).read_info()?;
    let size = reader.output_buffer_size().filter(|&size| size <= READ_LIMIT).ok_or(png::DecodingError::LimitsExceeded)?;
    let mut data = vec![0; size];
    let frame = reader.next_frame(&mut data)?;
    data.truncate(frame.buffer_size());
    let (width, height) = (frame.width as usize, frame.height as usize);
    Ok(Pixels { width, height, channels: frame.color_type.samples(), data })
}

/// Images of one size in a square, in reading order, small ones magnified; nothing if there are none or sizes differ.
pub fn grid(images: &[Pixels]) -> Option<Pixels> {
    const LEGIBLE: usize = 84;
    let zoom = (LEGIBLE / images.first()?.width.max(1)).max(1);
    let columns = (1..=images.len()).find(|n| n * n >= images.len())?;
    let framed: Vec<_> = images.iter().map(|image| framed(image, zoom)).collect();
    Pixels::grid(&framed, columns)
}

/// A copy with every pixel `zoom` times as wide and high, and one black pixel around it all.
fn framed(image: &Pixels, zoom: usize) -> Pixels {
    let (width, height, channels) = (image.width * zoom + 2, image.height * zoom + 2, image.channels);
    let mut data = vec![0; width * height * channels];
    for (y, row) in data.chunks_exact_mut(width * channels).enumerate().skip(1).take(height - 2) {
        for (x, pixel) in row.chunks_exact_mut(channels).enumerate().skip(1).take(width - 2) {
            let from = ((y - 1) / zoom * image.width + (x - 1) / zoom) * channels;
            pixel.copy_from_slice(&image.data[from..from + channels]);
        }
    }
    Pixels { width, height, channels, data }
}

/// Size and text chunks of any PNG, in the order tEXt, zTXt, iTXt.
pub fn texts(file: impl BufRead + Seek) -> Result<((u32, u32), Texts), png::DecodingError> {
    let mut decoder = png::Decoder::new_with_limits(file, png::Limits { bytes: READ_LIMIT });
    decoder.set_ignore_iccp_chunk(true);
    let mut reader = decoder.read_info()?;
    // Text may also stand behind the image; a damaged image does not hide the text before it.
    let _ = reader.finish();
    let info = reader.info();
    let mut texts: Texts = info.uncompressed_latin1_text.iter().map(|chunk| (chunk.keyword.clone(), chunk.text.clone())).collect();
    for chunk in &info.compressed_latin1_text {
        let mut chunk = chunk.clone();
        chunk.decompress_text_with_limit(READ_LIMIT)?;
        texts.push((chunk.keyword.clone(), chunk.get_text()?));
    }
    for chunk in &info.utf8_text {
        let mut chunk = chunk.clone();
        chunk.decompress_text_with_limit(READ_LIMIT)?;
        texts.push((chunk.keyword.clone(), chunk.get_text()?));
    }
    Ok((info.size(), texts))
}

fn latin1(text: &str) -> String {
    text.chars().map(|c| if (c as u32) < 256 { c } else { '?' }).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn png_and_back() {
        let pixels = Pixels { width: 2, height: 1, channels: 3, data: vec![1, 2, 3, 4, 5, 6] };
        let file = encode(&pixels, &[Text::Latin1("parameters", "Steps: 50 日"), Text::Unicode("duodiff", r#"{"name":"日本"}"#)]).unwrap();
        assert_eq!(decode(Cursor::new(&file)).unwrap(), pixels);
        let (size, texts) = texts(Cursor::new(&file)).unwrap();
        assert_eq!(size, (2, 1));
        let wanted = [("parameters", "Steps: 50 ?"), ("duodiff", r#"{"name":"日本"}"#)];
        assert_eq!(texts, wanted.map(|(k, v)| (k.to_string(), v.to_string())));
    }

    #[test]
    fn small_images_are_magnified() {
        let image = Pixels { width: 28, height: 2, channels: 1, data: (0..56).collect() };
        let grid = grid(&[image]).unwrap();
        assert_eq!((grid.width, grid.height), (3 * 28 + 2, 3 * 2 + 2));
        let at = |x: usize, y: usize| grid.data[y * grid.width + x];
        assert_eq!([at(1, 1), at(3, 3), at(4, 3), at(3, 4), at(84, 6), at(85, 6)], [0, 0, 1, 28, 55, 0]);
    }

    #[test]
    fn grid_lays_out_in_reading_order() {
        let image = |level| Pixels { width: 100, height: 1, channels: 1, data: vec![level; 100] };
        let grid = grid(&[image(1), image(2), image(3)]).unwrap();
        assert_eq!((grid.width, grid.height), (2 * 102, 2 * 3));
        let at = |x: usize, y: usize| grid.data[y * grid.width + x];
        assert_eq!([at(1, 1), at(103, 1), at(1, 4), at(103, 4), at(0, 0), at(101, 1)], [1, 2, 3, 0, 0, 0]);
        assert_eq!(super::grid(&[]), None);
    }
}
