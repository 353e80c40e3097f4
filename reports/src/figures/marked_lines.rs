//! Lines that end in the marker of their model. Lines and markers that would cover each other stay apart.

use super::canvas::{Canvas, Point};
use super::spread::{MARKERS_MM, around};
use super::style::Style;

/// What a caption says about these lines.
pub(crate) const HOW_TO_TELL_APART: &str = "Markers that would cover each other are moved apart, and a marker before the end of a \
    line only says whose line it is.";

/// The shortest line with a second marker, which is at another share of its way than those of the other lines. Where lines
/// coincide, each is still seen.
const LONG_MM: f64 = 12.0;

/// A line through points of the page.
pub(crate) struct MarkedLine {
    /// The index of its colour and marker in [`Style::model`].
    pub(crate) label: usize,
    pub(crate) points: Vec<Point>,
    pub(crate) width_mm: f64,
    /// Whether its markers are hollow.
    pub(crate) hollow: bool,
    /// What its end is.
    pub(crate) words: String,
}

pub(crate) fn draw(canvas: &Canvas<'_>, style: &Style, lines: &[MarkedLine]) -> Result<(), String> {
    for line in lines {
        canvas.line(&line.points, line.width_mm, style.model(line.label).0)?;
    }
    let mut marks: Vec<(&MarkedLine, Point)> = Vec::new();
    marks.extend(lines.iter().filter_map(|line| Some((line, *line.points.last()?))));
    for (nth, line) in lines.iter().enumerate() {
        let share = (nth as f64 + 1.0) / (lines.len() as f64 + 1.0);
        marks.extend(along(&line.points, share).map(|at| (line, at)));
    }
    let places: Vec<Point> = marks.iter().map(|(_, at)| *at).collect();
    let ends = marks.len().min(lines.iter().filter(|line| !line.points.is_empty()).count());
    for (index, ((line, _), at)) in marks.iter().zip(around(&places, MARKERS_MM)).enumerate() {
        canvas.marker(at, style.model(line.label), line.hollow)?;
        if index < ends {
            canvas.point(at, &line.words);
        }
    }
    Ok(())
}

/// The point of a long line at a share of its way across the page. `None` for a short line.
fn along(points: &[Point], share: f64) -> Option<Point> {
    let (first, last) = (points.first()?.0, points.last()?.0);
    let at = first + (last - first) * share;
    let covers = |pair: &&[Point]| (pair[0].0..=pair[1].0).contains(&at) && pair[1].0 > pair[0].0;
    let pair = points.windows(2).find(covers).filter(|_| last - first >= LONG_MM)?;
    let [(x, y), (to, end)] = [pair[0], pair[1]];
    Some((at, y + (end - y) * (at - x) / (to - x)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_on_its_line_and_short_lines_have_none() {
        let steps = [(0.0, 10.0), (10.0, 10.0), (10.0, 4.0), (40.0, 4.0)];
        assert_eq!(along(&steps, 0.125), Some((5.0, 10.0)));
        assert_eq!(along(&steps, 0.5), Some((20.0, 4.0)));
        assert_eq!(along(&[(0.0, 0.0), (20.0, 40.0)], 0.25), Some((5.0, 10.0)));
        assert_eq!(along(&steps[..2], 0.5), None);
        assert_eq!(along(&[], 0.5), None);
    }
}
