//! Converts the drawing of a figure to PNG.

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::Tree;

/// Dots per inch of a CSS pixel. SVG sizes are read in this unit.
const CSS_DPI: f64 = 96.0;

/// The picture as PNG with so many dots per inch.
///
/// # Errors
/// The rendering library's message.
pub(crate) fn png(drawing: &Tree, dots_per_inch: f64) -> Result<Vec<u8>, String> {
    let scale = (dots_per_inch / CSS_DPI) as f32;
    let size = drawing.size().to_int_size().scale_by(scale).ok_or("the picture has no size")?;
    let mut pixels = Pixmap::new(size.width(), size.height()).ok_or("the picture is too large")?;
    resvg::render(drawing, Transform::from_scale(scale, scale), &mut pixels.as_mut());
    pixels.encode_png().map_err(|error| error.to_string())
}
