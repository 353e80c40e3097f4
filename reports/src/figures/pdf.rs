//! Converts the drawing of a figure to PDF, for papers: lines stay lines, and texts stay texts in the font that is embedded.
//!
//! It knows the parts of SVG that figures have, and refuses all others, so that a picture is never incomplete.

use std::sync::LazyLock;

use krilla::Document;
use krilla::color::rgb;
use krilla::geom::{Path, PathBuilder, Point, Transform};
use krilla::metadata::Metadata;
use krilla::num::NormalizedF32;
use krilla::page::PageSettings;
use krilla::paint::{Fill, Stroke};
use krilla::surface::Surface;
use krilla::text::{Font, GlyphId, KrillaGlyph};
use resvg::tiny_skia::PathSegment;
use resvg::usvg::layout::Span;
use resvg::usvg::{self, Group, Node, Paint, Tree};

use super::canvas::FONT;

/// Points of PDF (72 in an inch) per CSS pixel (96 in an inch).
const POINTS_PER_PIXEL: f32 = 0.75;

/// The picture as a PDF of one page. The same picture gives the same bytes.
///
/// # Errors
/// If the picture has something that figures do not have, such as a gradient, or the PDF library's message.
pub(crate) fn pdf(drawing: &Tree, title: &str) -> Result<Vec<u8>, String> {
    let size = drawing.size();
    let settings = PageSettings::from_wh(size.width() * POINTS_PER_PIXEL, size.height() * POINTS_PER_PIXEL)
        .ok_or("the picture has no size")?;
    let mut document = Document::new();
    document
        .set_metadata(Metadata::new().title(title.to_owned()).creator("bakeoff".to_owned()).language("en".to_owned()));
    let mut page = document.start_page_with(settings);
    let mut surface = page.surface();
    surface.push_transform(&Transform::from_scale(POINTS_PER_PIXEL, POINTS_PER_PIXEL));
    let drawn = draw_group(&mut surface, drawing.root());
    surface.pop();
    surface.finish();
    page.finish();
    drawn?;
    document.finish().map_err(|error| format!("the PDF cannot be written: {error:?}"))
}

fn draw_group(surface: &mut Surface<'_>, group: &Group) -> Result<(), String> {
    let is_plain = group.opacity().get() >= 1.0
        && group.clip_path().is_none()
        && group.mask().is_none()
        && group.filters().is_empty();
    if !is_plain {
        return Err("a group has opacity, a clip path, a mask or a filter, which figures do not have in PDF".to_owned());
    }
    surface.push_transform(&transform(group.transform()));
    let drawn = group.children().iter().try_for_each(|node| match node {
        Node::Group(group) => draw_group(surface, group),
        Node::Path(path) => draw_path(surface, path),
        Node::Text(text) => text.layouted().iter().try_for_each(|span| draw_span(surface, span)),
        Node::Image(_) => Err("it has an image, which figures do not have in PDF".to_owned()),
    });
    surface.pop();
    drawn
}

fn draw_path(surface: &mut Surface<'_>, path: &usvg::Path) -> Result<(), String> {
    if !path.is_visible() {
        return Ok(());
    }
    surface.set_fill(path.fill().map(fill).transpose()?);
    surface.set_stroke(path.stroke().map(stroke).transpose()?);
    if let Some(outline) = outline(path) {
        surface.draw_path(&outline);
    }
    Ok(())
}

/// Draws the glyphs of a text as one run, so that a reader of the PDF can select and search it.
fn draw_span(surface: &mut Surface<'_>, span: &Span) -> Result<(), String> {
    static OURS: LazyLock<Option<Font>> = LazyLock::new(|| Font::new(FONT.to_vec().into(), 0));
    let font = OURS.clone().ok_or("the font in the program is not readable")?;
    let glyphs = &span.positioned_glyphs;
    let Some(first) = glyphs.first() else { return Ok(()) };
    let size = span.font_size.get();
    let place = |glyph: &usvg::layout::PositionedGlyph| (glyph.transform().tx, glyph.transform().ty);
    let (left, base) = place(first);
    let mut text = String::new();
    let mut run = Vec::with_capacity(glyphs.len());
    for (index, glyph) in glyphs.iter().enumerate() {
        let (x, y) = place(glyph);
        let next = glyphs.get(index + 1).map_or(x, |next| place(next).0);
        let start = text.len();
        text.push_str(&glyph.text);
        let id = GlyphId::new(glyph.id.0);
        run.push(KrillaGlyph::new(id, (next - x) / size, 0.0, (base - y) / size, 0.0, start..text.len(), None));
    }
    surface.set_fill(span.fill.as_ref().map(fill).transpose()?);
    surface.set_stroke(span.stroke.as_ref().map(stroke).transpose()?);
    surface.draw_glyphs(Point::from_xy(left, base), &run, font, &text, size, false);
    Ok(())
}

fn color(paint: &Paint) -> Result<krilla::paint::Paint, String> {
    match paint {
        Paint::Color(color) => Ok(rgb::Color::new(color.red, color.green, color.blue).into()),
        _ => Err("it has a gradient or a pattern, which figures do not have in PDF".to_owned()),
    }
}

fn fill(fill: &usvg::Fill) -> Result<Fill, String> {
    // Every area of a figure is a simple polygon, for which both fill rules are the same.
    Ok(Fill { paint: color(fill.paint())?, opacity: opacity(fill.opacity().get()), ..Fill::default() })
}

fn stroke(stroke: &usvg::Stroke) -> Result<Stroke, String> {
    if stroke.dasharray().is_some() {
        return Err("a line has a dash array: figures draw each dash as a line".to_owned());
    }
    let (paint, opacity) = (color(stroke.paint())?, opacity(stroke.opacity().get()));
    Ok(Stroke { paint, opacity, width: stroke.width().get(), ..Stroke::default() })
}

fn opacity(share: f32) -> NormalizedF32 {
    NormalizedF32::new(share).unwrap_or(NormalizedF32::ONE)
}

fn outline(path: &usvg::Path) -> Option<Path> {
    let mut outline = PathBuilder::new();
    for segment in path.data().segments() {
        match segment {
            PathSegment::MoveTo(to) => outline.move_to(to.x, to.y),
            PathSegment::LineTo(to) => outline.line_to(to.x, to.y),
            PathSegment::QuadTo(by, to) => outline.quad_to(by.x, by.y, to.x, to.y),
            PathSegment::CubicTo(one, other, to) => outline.cubic_to(one.x, one.y, other.x, other.y, to.x, to.y),
            PathSegment::Close => outline.close(),
        }
    }
    outline.finish()
}

fn transform(of: usvg::Transform) -> Transform {
    Transform::from_row(of.sx, of.ky, of.kx, of.sy, of.tx, of.ty)
}
