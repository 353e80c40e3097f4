//! A picture as its renderers read it: paths, and texts that are laid out with the font in the binary and without the system's
//! fonts. PNG and PDF are made of the same drawing, so every glyph is at the same place in both.

use std::sync::{Arc, LazyLock};

use resvg::usvg::{Node, Options, Tree, fontdb};

use super::canvas::{FONT, escape};

/// Reads the SVG of a picture.
///
/// # Errors
/// The parser's message.
pub(crate) fn drawing(svg: &str) -> Result<Tree, String> {
    static FONTS: LazyLock<Arc<fontdb::Database>> = LazyLock::new(|| {
        let mut fonts = fontdb::Database::new();
        fonts.load_font_source(fontdb::Source::Binary(Arc::new(FONT)));
        Arc::new(fonts)
    });
    let options = Options { fontdb: FONTS.clone(), font_family: "DejaVu Sans".to_owned(), ..Options::default() };
    Tree::from_str(svg, &options).map_err(|error| error.to_string())
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
    drawing(&svg).is_ok_and(|tree| tree.root().children().iter().all(is_drawn))
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
