//! A series of a history: its points, the levels of its segments, its epochs, and what was measured again.

use std::ops::Range;

use super::Picture;
use super::axis::AxisScale;
use super::canvas::{Canvas, Point, Rect, page};
use super::frame::{Axis, MARGIN_MM, Tick, frame_at, page_width};
use super::marker::Marker;
use super::style::Style;
use crate::error::ReportError;
use crate::format::si_prefix;

const HEIGHT_MM: f64 = 52.0;
/// The share of its level that an axis shows at least on each side, so that noise does not look like change.
const LEAST_SHARE: f64 = 0.05;
/// The most dates below the axis.
const MOST_DATES: usize = 6;

/// What is drawn of a series. Its points have equal distances, whatever the time between them is.
pub(crate) struct ShownSeries {
    /// The name of the picture, for messages.
    pub(crate) name: String,
    /// What the series is.
    pub(crate) title: String,
    /// The name of the quantity, for the axis.
    pub(crate) quantity: String,
    /// The unit of the values, or empty.
    pub(crate) unit: &'static str,
    pub(crate) points: Vec<ShownPoint>,
    pub(crate) segments: Vec<ShownSegment>,
}

/// A point of a series.
pub(crate) struct ShownPoint {
    pub(crate) value: f64,
    /// What was measured again of it.
    pub(crate) again: Vec<f64>,
    /// Its day.
    pub(crate) date: String,
    /// The run, the commit and the number.
    pub(crate) words: String,
}

/// A segment of a series.
pub(crate) struct ShownSegment {
    pub(crate) points: Range<usize>,
    pub(crate) level: Option<f64>,
    /// Whether an epoch begins with it that is not the first.
    pub(crate) begins_epoch: bool,
}

/// Draws a series. Without a point there is no picture.
///
/// # Errors
/// If the drawing library fails.
pub(crate) fn series_picture(series: &ShownSeries, style: &Style) -> Result<Option<Picture>, ReportError> {
    let numbers = || {
        let of_point = |point: &ShownPoint| std::iter::once(point.value).chain(point.again.clone()).collect::<Vec<_>>();
        series.points.iter().flat_map(of_point)
    };
    let largest = numbers().fold(0.0, |largest: f64, number| largest.max(number.abs()));
    let (scale, prefix) = if series.unit.is_empty() { (1.0, "") } else { si_prefix(largest, series.unit) };
    let middle = series.points.last().map_or(0.0, |point| point.value);
    let room = [middle * (1.0 - LEAST_SHARE), middle * (1.0 + LEAST_SHARE)];
    let Some(y) = AxisScale::around(numbers().chain(room).map(|number| number / scale), false) else { return Ok(None) };
    let Some(x) = AxisScale::around((0..series.points.len()).map(|index| index as f64), false) else { return Ok(None) };
    let unit = if series.unit.is_empty() {
        String::new()
    } else {
        format!(" ({prefix}{})", if prefix.is_empty() { series.unit } else { series.unit.trim_start_matches('1') })
    };
    let axes = (
        Axis { scale: x, title: String::new(), unit: "", reversed: false },
        Axis { scale: y, title: format!("{}{unit}", series.quantity), unit: "", reversed: false },
    );
    let size = (page_width(style), HEIGHT_MM);
    let about = format!("{} points; the page has a table of them.", series.points.len());
    let svg = page(style.look, size, &series.title, &about, |canvas| {
        let place = Rect { x: MARGIN_MM, y: MARGIN_MM, w: size.0 - 2.0 * MARGIN_MM, h: size.1 - 2.0 * MARGIN_MM };
        let (x, y) = frame_at(canvas, style, place, &series.title, (&axes.0, &axes.1), Some(&dates(series)))?;
        let at = |index: usize, value: f64| -> Point { (x.at(index as f64), y.at(value / scale)) };
        draw(canvas, style, series, (&x, &y), &at)
    });
    Picture::new(series.name.clone(), series.title.clone(), "").drawn(svg).map(Some)
}

/// The days of some points that are equally far apart.
fn dates(series: &ShownSeries) -> Vec<Tick> {
    let last = series.points.len().saturating_sub(1);
    let step = last.div_ceil(MOST_DATES - 1).max(1);
    (0..=last).step_by(step).filter_map(|index| Some((index as f64, series.points.get(index)?.date.clone()))).collect()
}

fn draw(
    canvas: &Canvas<'_>,
    style: &Style,
    series: &ShownSeries,
    (x, y): (&AxisScale, &AxisScale),
    at: &dyn Fn(usize, f64) -> Point,
) -> Result<(), String> {
    let (again_color, again_marker): (_, Marker) = style.model(3);
    let (level_color, _) = style.model(0);
    let (bottom, top) = y.ends();
    for segment in &series.segments {
        let values = segment.points.clone().map(|index| at(index, series.points[index].value));
        canvas.line(&values.collect::<Vec<_>>(), 0.12, style.muted)?;
        if let Some(level) = segment.level {
            // Half a step beyond the points, so that the level of one point is a line too.
            let step = (x.at(1.0) - x.at(0.0)) / 2.0;
            let (from, to) = (at(segment.points.start, level), at(segment.points.end.saturating_sub(1), level));
            canvas.line(&[(from.0 - step, from.1), (to.0 + step, to.1)], 0.5, level_color)?;
        }
        if segment.begins_epoch {
            let begins = x.at(segment.points.start as f64 - 0.5);
            canvas.dashed((begins, bottom), (begins, top), 0.25, style.ink)?;
        }
    }
    for (index, point) in series.points.iter().enumerate() {
        for again in &point.again {
            canvas.small_marker(at(index, *again), (again_color, again_marker))?;
        }
        let place = at(index, point.value);
        canvas.dot(place, 0.4, style.ink)?;
        canvas.point(place, &point.words);
    }
    // Rings are above the points that they are around.
    for segment in series.segments.iter().skip(1).filter(|segment| !segment.begins_epoch) {
        let first = segment.points.start;
        canvas.ring(at(first, series.points[first].value), style.ink)?;
    }
    Ok(())
}
