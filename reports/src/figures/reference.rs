//! A horizontal line at a number that is not a model's, with a word that says which: the target, or the floor.

use plotters::style::RGBColor;

use super::axis::AxisScale;
use super::canvas::{Align, Canvas, MARKER_RADIUS_MM, Point, SMALL_MM};

/// Draws the line across the panel. `points` are what the word should not hide.
pub(crate) fn draw_reference(
    canvas: &Canvas<'_>,
    axes: (&AxisScale, &AxisScale),
    (number, word): (f64, &str),
    color: RGBColor,
    points: &[Point],
) -> Result<(), String> {
    let (x, y) = axes;
    let ((left, right), at) = (x.ends(), y.at(number));
    canvas.line(&[(left, at), (right, at)], 0.2, color)?;
    draw_word(canvas, axes, (at, word), color, points)
}

/// Writes the word at this height: above or below it, where it hides the fewest points. Places at the ends of the panel come first.
pub(crate) fn draw_word(
    canvas: &Canvas<'_>,
    (x, y): (&AxisScale, &AxisScale),
    (at, word): (f64, &str),
    color: RGBColor,
    points: &[Point],
) -> Result<(), String> {
    const GAP_MM: f64 = 0.8;
    const PLACES: usize = 24;
    let width = canvas.width(word, SMALL_MM);
    let ((left, right), (bottom, top)) = (x.ends(), y.ends());
    let above = (at - SMALL_MM > top).then_some(at - SMALL_MM / 2.0 - 0.2);
    let below = (at + SMALL_MM < bottom).then_some(at + SMALL_MM / 2.0 + 0.2);
    let heights = above.into_iter().chain(below);
    let (first, last) = (left + GAP_MM, right - GAP_MM - width);
    let between = (1..PLACES).map(|place| first + (last - first).max(0.0) * place as f64 / PLACES as f64);
    let starts: Vec<f64> = [first, last].into_iter().chain(between).collect();
    let heights: Vec<f64> = heights.collect();
    let places = starts.iter().flat_map(|start| heights.iter().map(|height| (*start, *height)));
    let hidden = |(from, height): &Point| {
        let is_near = |(at, point): &&Point| {
            (from - MARKER_RADIUS_MM..=from + width + MARKER_RADIUS_MM).contains(at)
                && (point - height).abs() < SMALL_MM
        };
        points.iter().filter(is_near).count()
    };
    let place = places.min_by_key(hidden).unwrap_or((left + GAP_MM, at));
    canvas.text(word, place, SMALL_MM, Align::Left, color)
}
