//! Converts the SVG of a figure to PNG, with the font in the binary and without the system's fonts.

use std::sync::{Arc, LazyLock};

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Node, Options, Tree, fontdb};

use super::canvas::{FONT, escape};

/// Dots per inch of a CSS pixel. SVG sizes are read in this unit.
const CSS_DPI: f64 = 96.0;
/// Dots per inch that printers ask for.
const PRINT_DPI: f64 = 300.0;

/// The picture as PNG at 300 dots per inch.
///
/// # Errors
/// The rendering library's message.
pub(crate) fn png(svg: &str) -> Result<Vec<u8>, String> {
    let tree = parse(svg)?;
    let scale = (PRINT_DPI / CSS_DPI) as f32;
    let size = tree.size().to_int_size().scale_by(scale).ok_or("the picture has no size")?;
    let mut pixels = Pixmap::new(size.width(), size.height()).ok_or("the picture is too large")?;
    resvg::render(&tree, Transform::from_scale(scale, scale), &mut pixels.as_mut());
    pixels.encode_png().map_err(|error| error.to_string())
}

/// Whether the font can draw this text. The text is laid out as in a picture, because a character may need several
/// glyphs or none.
pub(crate) fn has_all_glyphs(text: &str) -> bool {
    if text.chars().all(|c| matches!(c, ' '..='~')) {
        return true;
    }
    let svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"9\" height=\"9\"><text>{}</text></svg>",
        escape(text)
    );
    parse(&svg).is_ok_and(|tree| tree.root().children().iter().all(is_drawn))
}

/// Whether all glyphs exist. Glyph 0 of a font is the box that stands for a missing one.
fn is_drawn(node: &Node) -> bool {
    match node {
        Node::Group(group) => group.children().iter().all(is_drawn),
        Node::Text(text) => {
            let mut glyphs = text.layouted().iter().flat_map(|span| &span.positioned_glyphs);
            glyphs.all(|glyph| glyph.id.0 != 0)
        }
        Node::Path(_) | Node::Image(_) => true,
    }
}

fn parse(svg: &str) -> Result<Tree, String> {
    static FONTS: LazyLock<Arc<fontdb::Database>> = LazyLock::new(|| {
        let mut fonts = fontdb::Database::new();
        fonts.load_font_source(fontdb::Source::Binary(Arc::new(FONT)));
        Arc::new(fonts)
    });
    let options = Options { fontdb: FONTS.clone(), font_family: "DejaVu Sans".to_owned(), ..Options::default() };
    Tree::from_str(svg, &options).map_err(|error| error.to_string())
}
