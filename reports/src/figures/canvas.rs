//! A page to draw on, in millimetres: a thin layer over plotters' SVG backend.

use std::cell::RefCell;
use std::sync::Once;

use plotters::coord::Shift;
use plotters::element::{Circle, PathElement, Polygon, Rectangle, Text};
use plotters::prelude::{DrawingArea, IntoDrawingArea, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontDesc, FontFamily, FontStyle, FontTransform, RGBColor, ShapeStyle, register_font};

use super::look::Look;
use super::marker::Marker;
use super::style::UNITS_PER_MM;

/// The font in the binary. With it, a machine without fonts draws the same picture.
pub(crate) const FONT: &[u8] = include_bytes!("../../fonts/DejaVuSans.ttf");

/// The family of fonts as written into SVG. A viewer that lacks the first one uses another of similar width.
const FAMILY: &str = "DejaVu Sans, Verdana, sans-serif";

/// The size of 7 pt text in millimetres per em. 7 pt is the smallest size that journals accept.
pub(crate) const SMALL_MM: f64 = 2.47;
/// The size of 8 pt text in millimetres per em.
pub(crate) const TEXT_MM: f64 = 2.82;

/// The radius of the largest marker.
pub(crate) const MARKER_RADIUS_MM: f64 = 1.05 * 1.25;
/// Half the length of the strokes at the ends of a bar.
pub(crate) const BAR_END_MM: f64 = 0.6;

/// plotters divides a font size by this number and writes the quotient as the em of the SVG.
const PLOTTERS_EM: f64 = 1.24;

/// A point on the page, in millimetres from the upper left corner. A millimetre of the page is that of the report's look; other
/// looks magnify the page.
pub(crate) type Point = (f64, f64);

/// A rectangle on the page.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rect {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) w: f64,
    pub(crate) h: f64,
}

impl Rect {
    pub(crate) fn right(&self) -> f64 {
        self.x + self.w
    }

    pub(crate) fn bottom(&self) -> f64 {
        self.y + self.h
    }
}

/// Which part of a text is at its point, horizontally. Vertically it is always the middle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Centre,
    Right,
}

/// The page. Errors of the drawing library are strings, because no caller can handle them.
pub(crate) struct Canvas<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
    /// The SVG of what [`Canvas::point`] adds above all that is drawn.
    points: RefCell<String>,
}

type Done = Result<(), String>;

/// Draws a white page of this size, magnified for a look, and returns its SVG. `title` and `description` are for readers
/// who cannot see the picture.
pub(crate) fn page(
    look: Look,
    (width_mm, height_mm): (f64, f64),
    title: &str,
    description: &str,
    draw: impl FnOnce(&Canvas<'_>) -> Done,
) -> Result<String, String> {
    register();
    let size = (units(width_mm) as u32, units(height_mm) as u32);
    let mut svg = String::new();
    let points;
    {
        let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        let canvas = Canvas { area, points: RefCell::default() };
        canvas.area.fill(&plotters::style::WHITE).map_err(|error| error.to_string())?;
        draw(&canvas)?;
        canvas.area.present().map_err(|error| error.to_string())?;
        points = canvas.points.take();
    }
    if !points.is_empty() {
        // Nothing is painted, so only viewers that know titles notice them.
        let group = format!("<g class=\"points\" fill=\"none\" pointer-events=\"all\">\n{points}</g>\n</svg>");
        svg = svg.replacen("</svg>", &group, 1);
    }
    let start = format!("<svg width=\"{}\" height=\"{}\" ", size.0, size.1);
    let [width, height] = [width_mm, height_mm].map(|mm| printed(look, mm));
    let sized = format!("<svg width=\"{width}mm\" height=\"{height}mm\" role=\"img\" ");
    let svg = svg.replacen(&start, &sized, 1);
    let head_ends = svg.find('>').ok_or("plotters wrote no SVG")? + 1;
    let words = format!("\n<title>{}</title>\n<desc>{}</desc>", escape(title), escape(description));
    Ok(allowed_in_xml(&format!("{}{words}{}", &svg[..head_ends], &svg[head_ends..])))
}

/// The picture that [`page`] returned with more page of this height below it.
pub(crate) fn extended(
    look: Look,
    svg: &str,
    more_mm: f64,
    draw: impl FnOnce(&Canvas<'_>) -> Done,
) -> Result<String, String> {
    let not_a_page = || "the picture is not a page of ours".to_owned();
    let (width, height) = units_of(svg).ok_or_else(not_a_page)?;
    let mm = |units: i32| f64::from(units) / UNITS_PER_MM;
    let more = page(look, (mm(width), more_mm), "", "", draw)?;
    let (_, more) = more.split_once("</desc>").ok_or_else(not_a_page)?;
    let inside = svg.trim_end().strip_suffix("</svg>").ok_or_else(not_a_page)?;
    let (_, after_height) = inside.split_once("mm\" role").ok_or_else(not_a_page)?;
    let (before_height, _) = inside.split_once(" height=\"").ok_or_else(not_a_page)?;
    let height_mm = printed(look, mm(height) + more_mm);
    let taller = format!("{before_height} height=\"{height_mm}mm\" role{after_height}").replacen(
        &format!("viewBox=\"0 0 {width} {height}\""),
        &format!("viewBox=\"0 0 {width} {}\"", height + units(more_mm)),
        1,
    );
    let more = more.trim_end().strip_suffix("</svg>").ok_or_else(not_a_page)?;
    Ok(format!("{taller}<g transform=\"translate(0 {height})\">{more}</g>\n</svg>\n"))
}

/// The width in millimetres of a page that [`page`] returned.
pub(crate) fn width_of(svg: &str) -> Result<f64, String> {
    let (width, _) = units_of(svg).ok_or("the picture is not a page of ours")?;
    Ok(f64::from(width) / UNITS_PER_MM)
}

/// The width and the height in SVG units of a page that [`page`] returned.
fn units_of(svg: &str) -> Option<(i32, i32)> {
    let (_, rest) = svg.split_once("viewBox=\"0 0 ")?;
    let (width, height) = rest.split_once('"')?.0.split_once(' ')?;
    Some((width.parse().ok()?, height.parse().ok()?))
}

/// Millimetres of a page as millimetres of paper, to the micrometre.
fn printed(look: Look, mm: f64) -> f64 {
    (mm * look.magnification() * 1000.0).round() / 1000.0
}

fn register() {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(|| {
        // This cannot fail, because the font is part of the program and the tests draw with it.
        let _ = register_font(FAMILY, FontStyle::Normal, FONT);
    });
}

/// The width of a text, in millimetres.
pub(crate) fn text_width(text: &str, em_mm: f64) -> f64 {
    register();
    font(em_mm).box_size(text).map_or(0.0, |(width, _)| f64::from(width) / UNITS_PER_MM)
}

/// The text, with a replacement character for each character that XML does not allow (XML 1.0, production 2). Names
/// come from users, and one such character would make the whole picture invalid.
pub(crate) fn allowed_in_xml(text: &str) -> String {
    let allowed = |c: char| (c >= ' ' || matches!(c, '\t' | '\n' | '\r')) && !matches!(c, '\u{fffe}' | '\u{ffff}');
    text.chars().map(|c| if allowed(c) { c } else { char::REPLACEMENT_CHARACTER }).collect()
}

pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn units(mm: f64) -> i32 {
    (mm * UNITS_PER_MM).round() as i32
}

fn in_units((x, y): Point) -> (i32, i32) {
    (units(x), units(y))
}

impl Canvas<'_> {
    /// A line through points.
    pub(crate) fn line(&self, points: &[Point], width_mm: f64, color: RGBColor) -> Done {
        let stroke = ShapeStyle { color: color.to_rgba(), filled: false, stroke_width: units(width_mm).max(1) as u32 };
        let points: Vec<_> = points.iter().copied().map(in_units).collect();
        self.area.draw(&PathElement::new(points, stroke)).map_err(|error| error.to_string())
    }

    /// A straight dashed line.
    pub(crate) fn dashed(&self, from: Point, to: Point, width_mm: f64, color: RGBColor) -> Done {
        const DASH_MM: f64 = 0.9;
        let length = (to.0 - from.0).hypot(to.1 - from.1);
        let dashes = (length / (2.0 * DASH_MM)).ceil().max(1.0);
        let at = |share: f64| {
            let share = share.min(1.0);
            (from.0 + (to.0 - from.0) * share, from.1 + (to.1 - from.1) * share)
        };
        for dash in 0..dashes as usize {
            let start = dash as f64 / dashes;
            self.line(&[at(start), at(start + 0.5 / dashes)], width_mm, color)?;
        }
        Ok(())
    }

    /// A filled rectangle.
    pub(crate) fn fill(&self, rect: Rect, color: RGBColor) -> Done {
        let corners = [in_units((rect.x, rect.y)), in_units((rect.right(), rect.bottom()))];
        self.area.draw(&Rectangle::new(corners, color.filled())).map_err(|error| error.to_string())
    }

    /// Says in words what the marker here shows. A viewer shows them where the pointer is.
    pub(crate) fn point(&self, at: Point, words: &str) {
        const RADIUS_MM: f64 = 1.8;
        let ((x, y), radius) = (in_units(at), units(RADIUS_MM));
        *self.points.borrow_mut() +=
            &format!("<circle cx=\"{x}\" cy=\"{y}\" r=\"{radius}\"><title>{}</title></circle>\n", escape(words));
    }

    /// As [`Canvas::point`], for all that is in the rectangle.
    pub(crate) fn area(&self, place: Rect, words: &str) {
        let ((x, y), (width, height)) = (in_units((place.x, place.y)), in_units((place.w, place.h)));
        *self.points.borrow_mut() += &format!(
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"><title>{}</title></rect>\n",
            escape(words)
        );
    }

    /// Draws the marker of a model with a white rim, which parts it from what it lies on. The marker of a model that is not ranked
    /// is hollow.
    pub(crate) fn marker(&self, at: Point, model: (RGBColor, Marker), hollow: bool) -> Done {
        self.scaled_marker(at, model, hollow, 1.05)
    }

    /// Draws the marker of a model in two thirds of its size, for what is less important than the others.
    pub(crate) fn small_marker(&self, at: Point, model: (RGBColor, Marker)) -> Done {
        self.scaled_marker(at, model, false, 0.7)
    }

    fn scaled_marker(&self, at: Point, (color, marker): (RGBColor, Marker), hollow: bool, radius: f64) -> Done {
        let outline = marker.outline();
        let scaled = |scale: f64| -> Vec<(i32, i32)> {
            outline.iter().map(|(x, y)| in_units((at.0 + x * scale, at.1 + y * scale))).collect()
        };
        self.rim(scaled(radius))?;
        self.polygon(scaled(radius), color)?;
        if hollow { self.polygon(scaled(radius * 0.55), plotters::style::WHITE) } else { Ok(()) }
    }

    fn rim(&self, mut points: Vec<(i32, i32)>) -> Done {
        const RIM_MM: f64 = 0.36;
        points.extend_from_within(..1);
        let stroke =
            ShapeStyle { color: plotters::style::WHITE.to_rgba(), filled: false, stroke_width: units(RIM_MM) as u32 };
        self.area.draw(&PathElement::new(points, stroke)).map_err(|error| error.to_string())
    }

    fn polygon(&self, points: Vec<(i32, i32)>, color: RGBColor) -> Done {
        self.area.draw(&Polygon::new(points, color.filled())).map_err(|error| error.to_string())
    }

    /// A ring around a point.
    pub(crate) fn ring(&self, (x, y): Point, color: RGBColor) -> Done {
        const RADIUS_MM: f64 = 1.5;
        const SIDES: usize = 24;
        let corner = |side: usize| {
            let angle = std::f64::consts::TAU * side as f64 / SIDES as f64;
            (x + RADIUS_MM * angle.cos(), y + RADIUS_MM * angle.sin())
        };
        self.line(&(0..=SIDES).map(corner).collect::<Vec<_>>(), 0.3, color)
    }

    /// A ring with a horizontal bar through it. Each end of the bar has a place, and a stroke unless the bar is open there.
    pub(crate) fn ring_with_bar(&self, centre: Point, ends: [(f64, bool); 2], color: RGBColor) -> Done {
        const WIDTH_MM: f64 = 0.25;
        self.line(&ends.map(|(end, _)| (end, centre.1)), WIDTH_MM, color)?;
        for (end, _) in ends.into_iter().filter(|(_, has_stroke)| *has_stroke) {
            self.line(&[(end, centre.1 - BAR_END_MM), (end, centre.1 + BAR_END_MM)], WIDTH_MM, color)?;
        }
        self.ring(centre, color)
    }

    /// A cross.
    pub(crate) fn cross(&self, (x, y): Point, color: RGBColor) -> Done {
        const ARM_MM: f64 = 0.75;
        for rise in [-ARM_MM, ARM_MM] {
            self.line(&[(x - ARM_MM, y - rise), (x + ARM_MM, y + rise)], 0.35, color)?;
        }
        Ok(())
    }

    /// A small dot.
    pub(crate) fn dot(&self, at: Point, radius_mm: f64, color: RGBColor) -> Done {
        let dot = Circle::new(in_units(at), units(radius_mm), color.filled());
        self.area.draw(&dot).map_err(|error| error.to_string())
    }

    /// Text on a horizontal line through `at`.
    pub(crate) fn text(&self, text: &str, at: Point, em_mm: f64, align: Align, color: RGBColor) -> Done {
        self.draw_text(text, at, em_mm, align, color, FontTransform::None)
    }

    /// Text that runs upwards along a vertical line through `at`.
    pub(crate) fn text_up(&self, text: &str, at: Point, em_mm: f64, align: Align, color: RGBColor) -> Done {
        self.draw_text(text, at, em_mm, align, color, FontTransform::Rotate270)
    }

    fn draw_text(&self, text: &str, at: Point, em_mm: f64, align: Align, color: RGBColor, turn: FontTransform) -> Done {
        let h_pos = match align {
            Align::Left => HPos::Left,
            Align::Centre => HPos::Center,
            Align::Right => HPos::Right,
        };
        let style = font(em_mm).transform(turn).color(&color).pos(Pos::new(h_pos, VPos::Center));
        self.area.draw(&Text::new(text.to_owned(), in_units(at), style)).map_err(|error| error.to_string())
    }

    /// The width of a text, in millimetres.
    pub(crate) fn width(&self, text: &str, em_mm: f64) -> f64 {
        text_width(text, em_mm)
    }

    /// The text, or as much of it as fits into `width_mm` with an ellipsis.
    pub(crate) fn fit(&self, text: &str, em_mm: f64, width_mm: f64) -> String {
        if self.width(text, em_mm) <= width_mm {
            return text.to_owned();
        }
        let mut kept: Vec<char> = text.chars().collect();
        while kept.pop().is_some() {
            let cut = format!("{}…", kept.iter().collect::<String>());
            if self.width(&cut, em_mm) <= width_mm {
                return cut;
            }
        }
        String::new()
    }
}

fn font(em_mm: f64) -> FontDesc<'static> {
    FontDesc::new(FontFamily::Name(FAMILY), em_mm * UNITS_PER_MM * PLOTTERS_EM, FontStyle::Normal)
}
