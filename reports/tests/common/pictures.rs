//! What the tests of figures read in a picture.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use resvg::tiny_skia::Rect;
use resvg::usvg::{Group, Node, Options, Tree, fontdb};

/// Adds the texts of a picture, each with its place.
pub(crate) fn texts(group: &Group, found: &mut Vec<(String, Rect)>) {
    for node in group.children() {
        match node {
            Node::Group(group) => texts(group, found),
            Node::Text(text) => {
                let words = text.chunks().iter().map(|chunk| chunk.text()).collect();
                found.push((words, text.abs_bounding_box()));
            }
            _ => {}
        }
    }
}

/// The pictures in a folder, each with its name and its SVG, in the order of their names.
pub(crate) fn pictures(folder: &Path) -> Vec<(String, String)> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let svgs = files.filter(|path| path.extension().is_some_and(|extension| extension == "svg"));
    let name = |path: &Path| path.file_stem().unwrap().to_string_lossy().into_owned();
    let mut found: Vec<(String, String)> = svgs.map(|path| (name(&path), fs::read_to_string(&path).unwrap())).collect();
    found.sort();
    found
}

fn overlap(a: &Rect, b: &Rect) -> bool {
    // Boxes are as high as the font, letters are not: a fifth of the height may be shared.
    let slack = 0.2 * a.height().min(a.width()).min(b.height().min(b.width()));
    a.left() + slack < b.right()
        && b.left() + slack < a.right()
        && a.top() + slack < b.bottom()
        && b.top() + slack < a.bottom()
}

/// Fails if a text of the picture is cut off by the edge of the page or lies on another text.
pub(crate) fn assert_texts_are_apart(name: &str, svg: &str) {
    let tree = parse(svg);
    let mut found = Vec::new();
    texts(tree.root(), &mut found);
    assert!(!found.is_empty(), "{name} has no text");
    let (width, height) = (tree.size().width(), tree.size().height());
    for (index, (text, place)) in found.iter().enumerate() {
        let inside = place.left() >= 0.0 && place.top() >= 0.0 && place.right() <= width && place.bottom() <= height;
        assert!(inside, "{name}: '{text}' at {place:?} is clipped");
        for (other, other_place) in &found[index + 1..] {
            assert!(!overlap(place, other_place), "{name}: '{text}' lies on '{other}'");
        }
    }
}

/// The picture as its renderer reads it.
pub(crate) fn parse(svg: &str) -> Tree {
    let mut fonts = fontdb::Database::new();
    fonts.load_font_data(include_bytes!("../../fonts/DejaVuSans.ttf").to_vec());
    Tree::from_str(svg, &Options { fontdb: Arc::new(fonts), ..Options::default() }).unwrap()
}

/// Whether a picture has this text, whole.
pub(crate) fn has_text(svg: &str, text: &str) -> bool {
    svg.contains(&format!("\n{text}\n"))
}
