//! Sheets of images that a model has made: a PNG file beside the other files of its case.

use std::fs;
use std::io::ErrorKind;

use resvg::tiny_skia::{Pixmap, PremultipliedColorU8};

use crate::error::ReportError;
use crate::results::Results;
use crate::run_dir::RunDir;

/// The generated images of a model whose images differ from each other less than this share of what training images differ count
/// as collapsed: the model makes nearly the same image each time.
pub const COLLAPSED_BELOW: f64 = 0.1;

/// What the sheets of a report show.
pub(crate) const HOW_TO_READ_SHEETS: &str = "Each sheet shows images that the generator of a case has made, none of them chosen. \
    Diversity is the mean distance of two of them, over that of two training images: a generator that makes nearly the same image \
    each time has collapsed, and its diversity is near 0. The folder samples/ holds each sheet as PNG.";

/// Pixels between two images.
const GAP: usize = 2;
/// The shortest side of an image on the sheet, in pixels. Smaller images are enlarged by a whole number.
const MIN_SIDE: usize = 48;
/// The most pixels of a sheet.
const MOST_PIXELS: usize = 1 << 26;

/// A PNG file of images in rows, as many in a row as there are rows. `pixels` holds the images one after the other, each of the
/// shape `[channels, height, width]`. One channel is grey, and of others the first three are red, green and blue.
///
/// # Errors
/// Says why there is no sheet: no image, a size of 0, or too many pixels.
pub fn sheet(pixels: &[u8], [channels, height, width]: [usize; 3]) -> Result<Vec<u8>, String> {
    let stride = channels * height * width;
    if stride == 0 || pixels.is_empty() || !pixels.len().is_multiple_of(stride) {
        return Err(format!("{} values are no images of {channels} x {height} x {width}", pixels.len()));
    }
    let count = pixels.len() / stride;
    let columns = (1..).find(|side| side * side >= count).unwrap_or(count);
    let rows = count.div_ceil(columns);
    let scale = MIN_SIDE.div_ceil(height.min(width)).max(1);
    let (cell_height, cell_width) = (height * scale + GAP, width * scale + GAP);
    let (total_height, total_width) = (rows * cell_height + GAP, columns * cell_width + GAP);
    let too_large = || format!("a sheet of {total_width} x {total_height} pixels is too large");
    if total_height.saturating_mul(total_width) > MOST_PIXELS {
        return Err(too_large());
    }
    let side = |pixels: usize| u32::try_from(pixels).map_err(|_| too_large());
    let mut sheet = Pixmap::new(side(total_width)?, side(total_height)?).ok_or_else(too_large)?;
    let white = opaque([255; 3]);
    sheet.pixels_mut().fill(white);
    for (index, image) in pixels.chunks_exact(stride).enumerate() {
        let (top, left) = (index / columns * cell_height + GAP, index % columns * cell_width + GAP);
        for y in 0..height * scale {
            for x in 0..width * scale {
                let value = |channel: usize| image[(channel * height + y / scale) * width + x / scale];
                let color = if channels < 3 { [value(0); 3] } else { [value(0), value(1), value(2)] };
                sheet.pixels_mut()[(top + y) * total_width + left + x] = opaque(color);
            }
        }
    }
    sheet.encode_png().map_err(|error| error.to_string())
}

fn opaque([red, green, blue]: [u8; 3]) -> PremultipliedColorU8 {
    PremultipliedColorU8::from_rgba(red, green, blue, u8::MAX).expect("no colour is above the full opacity")
}

/// A sheet of a case.
pub(crate) struct Sheet {
    /// The id of the case.
    pub(crate) case: String,
    /// The diversity of its images, if it was recorded.
    pub(crate) diversity: Option<f64>,
    /// The PNG file.
    pub(crate) png: Vec<u8>,
}

impl Sheet {
    /// The file as an address that holds it whole, for a page that loads nothing.
    pub(crate) fn address(&self) -> String {
        format!("data:image/png;base64,{}", base64(&self.png))
    }

    /// What the sheet shows, in words.
    pub(crate) fn caption(&self) -> String {
        let diversity = self.diversity.map(|diversity| {
            let collapsed = if diversity < COLLAPSED_BELOW { ": the generator has collapsed" } else { "" };
            format!(", diversity {diversity:.2}{collapsed}")
        });
        format!("{}{}", self.case, diversity.unwrap_or_default())
    }
}

/// The sheets of a run, in the order of its cases.
///
/// # Errors
/// If a file is there and cannot be read.
pub(crate) fn sheets(dir: &RunDir, results: &Results) -> Result<Vec<Sheet>, ReportError> {
    let mut sheets = Vec::new();
    for (_, _, trial) in results.grid.trials() {
        let path = dir.sheet_path(&trial.case);
        let png = match fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            read => read.map_err(ReportError::io("read", &path))?,
        };
        let diversity = trial.get("case", "generated_diversity").map(|value| value.value);
        sheets.push(Sheet { case: trial.case.clone(), diversity, png });
    }
    Ok(sheets)
}

/// Bytes as text (RFC 4648, section 4).
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let byte = |index: usize| u32::from(group.get(index).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for digit in 0..4 {
            let is_padding = digit > group.len();
            let value = (bits >> (18 - 6 * digit) & 63) as usize;
            text.push(if is_padding { '=' } else { char::from(DIGITS[value]) });
        }
    }
    text
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn bytes_become_text_as_the_standard_has_it() {
        for (bytes, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
        assert_eq!(base64(&[0xfb, 0xff, 0xfe]), "+//+");
    }

    #[test]
    fn images_stand_in_rows_in_their_colours() {
        // Three images of one pixel each in a row of two and a row of one: red, green, and blue.
        let png = sheet(&[255, 0, 0, 0, 255, 0, 0, 0, 255], [3, 1, 1]).unwrap();
        let read = Pixmap::decode_png(&png).unwrap();
        let side = (2 * (MIN_SIDE + GAP) + GAP) as u32;
        assert_eq!((read.width(), read.height()), (side, side));
        let at = |column: usize, row: usize| {
            let place = |index: usize| (GAP + index * (MIN_SIDE + GAP)) as u32;
            let pixel = read.pixel(place(column), place(row)).unwrap();
            [pixel.red(), pixel.green(), pixel.blue()]
        };
        assert_eq!([at(0, 0), at(1, 0), at(0, 1), at(1, 1)], [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255; 3]]);
    }

    #[test]
    fn a_grey_image_keeps_its_rows_and_columns_and_is_enlarged_by_a_whole_number() {
        let png = sheet(&[10, 20, 30, 40, 50, 60], [1, 2, 3]).unwrap();
        let read = Pixmap::decode_png(&png).unwrap();
        let at = |x: usize, y: usize| read.pixel((GAP + x * 24) as u32, (GAP + y * 24) as u32).unwrap().green();
        assert_eq!([at(0, 0), at(2, 0), at(0, 1), at(2, 1)], [10, 30, 40, 60]);
    }

    #[test]
    fn what_is_no_image_is_refused() {
        assert!(sheet(&[], [3, 2, 2]).is_err());
        assert!(sheet(&[1, 2], [1, 0, 2]).is_err());
        assert!(sheet(&[1, 2, 3], [1, 1, 2]).is_err());
        assert!(sheet(&vec![0; 9000 * 9000], [1, 9000, 9000]).unwrap_err().contains("too large"));
    }
}
