//! PNG from a figure's SVG, with the font that ships in the binary and none of the system's.

use std::sync::{Arc, LazyLock};

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};

use super::canvas::FONT;

/// Dots per inch of a CSS pixel, in which SVG sizes are read.
const CSS_DPI: f64 = 96.0;
/// What printers ask for.
const PRINT_DPI: f64 = 300.0;

/// The picture as PNG at 300 dots per inch.
///
/// # Errors
/// The rendering library's message.
pub(crate) fn png(svg: &str) -> Result<Vec<u8>, String> {
    static FONTS: LazyLock<Arc<fontdb::Database>> = LazyLock::new(|| {
        let mut fonts = fontdb::Database::new();
        fonts.load_font_source(fontdb::Source::Binary(Arc::new(FONT)));
        Arc::new(fonts)
    });
    let options = Options { fontdb: FONTS.clone(), font_family: "DejaVu Sans".to_owned(), ..Options::default() };
    let tree = Tree::from_str(svg, &options).map_err(|error| error.to_string())?;
    let scale = (PRINT_DPI / CSS_DPI) as f32;
    let size = tree.size().to_int_size().scale_by(scale).ok_or("the picture has no size")?;
    let mut pixels = Pixmap::new(size.width(), size.height()).ok_or("the picture is too large")?;
    resvg::render(&tree, Transform::from_scale(scale, scale), &mut pixels.as_mut());
    pixels.encode_png().map_err(|error| error.to_string())
}
