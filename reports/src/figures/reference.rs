//! A horizontal line at a number that is not a model's, with a word that says which: the target, or the floor.

use plotters::style::RGBColor;

use super::axis::AxisScale;
use super::canvas::{Align, Canvas, Point, SMALL_MM};

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

/// Writes the word at this height: above or below it, at the left or the right end of the panel, where it hides the fewest points.
pub(crate) fn draw_word(
    canvas: &Canvas<'_>,
    (x, y): (&AxisScale, &AxisScale),
    (at, word): (f64, &str),
    color: RGBColor,
    points: &[Point],
) -> Result<(), String> {
    const GAP_MM: f64 = 0.8;
    let width = canvas.width(word, SMALL_MM);
    let ((left, right), (bottom, top)) = (x.ends(), y.ends());
    let above = (at - SMALL_MM > top).then_some(at - SMALL_MM / 2.0 - 0.2);
    let below = (at + SMALL_MM < bottom).then_some(at + SMALL_MM / 2.0 + 0.2);
    let heights = above.into_iter().chain(below);
    let places = heights.flat_map(|height| [(left + GAP_MM, height), (right - GAP_MM - width, height)]);
    let hidden = |(from, height): &Point| {
        let is_near = |(at, point): &&Point| {
            (from - GAP_MM..=from + width + GAP_MM).contains(at) && (point - height).abs() < SMALL_MM
        };
        points.iter().filter(is_near).count()
    };
    let place = places.min_by_key(hidden).unwrap_or((left + GAP_MM, at));
    canvas.text(word, place, SMALL_MM, Align::Left, color)
}
