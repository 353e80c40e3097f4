//! Texts of a picture that are whole and do not lie on each other.

use resvg::tiny_skia::Rect;

use super::pictures::{parse, texts};

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
