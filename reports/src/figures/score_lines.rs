//! Lines of the primary metric, one point for each value of what varies. Figures against an axis of the suite or against a
//! parameter share them.

use super::axis::AxisScale;
use super::canvas::{Canvas, Point, Rect};
use super::frame::{Axis, Tick, frame_at};
use super::quality::limits;
use super::style::Style;
use crate::record::Status;
use crate::results::Results;
use crate::setting::Setting;

/// Half the length of the strokes at the ends of a bar.
const BAR_END_MM: f64 = 0.6;

/// How to read the lines, for a caption.
pub(crate) const HOW_TO_READ: &str = "A marker is the mean over seeds and folds, and its bar is one standard deviation to either \
    side if there are several. A dashed line is the score on training rows, if it was recorded. A hollow marker is not ranked: it \
    is no better than the floor, or a seed or fold failed or is missing. A line has a gap where no case has a score.";

/// The scores of a model in one setting, the mean over its seeds and folds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ScoreAt {
    pub(crate) mean: f64,
    pub(crate) sd: Option<f64>,
    /// The score on training rows, if it was recorded.
    pub(crate) train: Option<f64>,
    pub(crate) is_ranked: bool,
}

/// A line: the index of its colour and marker in [`Style::model`], and its scores at the values; `None` where no case has a score.
pub(crate) type ScoreLine = (usize, Vec<Option<ScoreAt>>);

/// A panel of lines.
pub(crate) struct LinesPanel<'a> {
    pub(crate) setting: &'a Setting,
    pub(crate) x: Axis,
    /// The values on the horizontal axis.
    pub(crate) values: &'a [Tick],
    pub(crate) lines: &'a [ScoreLine],
}

/// The scores of a label in a setting; `None` if no case has a score.
pub(crate) fn score_at(results: &Results, setting: usize, label: usize) -> Option<ScoreAt> {
    let cell = results.grid.cell(setting, label)?;
    let primary = &results.setting(setting).task.primary;
    let test = cell.mean("score", primary)?;
    let train = cell.mean("score", &format!("{primary}_train")).map(|train| train.mean);
    Some(ScoreAt { mean: test.mean, sd: test.sd, train, is_ranked: cell.status == Status::Ok })
}

/// Draws the panel into `place`.
pub(crate) fn draw(canvas: &Canvas<'_>, style: &Style, panel: &LinesPanel<'_>, place: Rect) -> Result<(), String> {
    let scores = panel.lines.iter().flat_map(|(_, scores)| scores.iter().flatten());
    let numbers = scores.flat_map(|at| {
        let sd = at.sd.unwrap_or(0.0);
        [at.mean - sd, at.mean + sd].into_iter().chain(at.train)
    });
    let Some(y) = AxisScale::around(numbers, false) else { return Ok(()) };
    let setting = panel.setting;
    let y_title = format!("{}{}", setting.primary().short_title(), setting.primary_unit());
    let y = Axis { scale: limits(setting, y), title: y_title, unit: "", reversed: false };
    let (x, y) = frame_at(canvas, style, place, &setting.title, (&panel.x, &y), Some(panel.values))?;
    for (color, scores) in panel.lines {
        let values = panel.values.iter().map(|(value, _)| x.at(*value));
        let points: Vec<Option<(f64, ScoreAt)>> =
            values.zip(scores).map(|(at, score)| score.map(|score| (at, score))).collect();
        draw_line(canvas, style, *color, &points, &y)?;
    }
    Ok(())
}

/// Draws a line through its scores, each with its position on the horizontal axis.
fn draw_line(
    canvas: &Canvas<'_>,
    style: &Style,
    index: usize,
    points: &[Option<(f64, ScoreAt)>],
    y: &AxisScale,
) -> Result<(), String> {
    let (color, _) = style.model(index);
    let (bottom, top) = y.ends();
    for pair in points.windows(2) {
        let [Some((from, one)), Some((to, other))] = pair else { continue };
        canvas.line(&[(*from, y.at(one.mean)), (*to, y.at(other.mean))], 0.35, color)?;
        if let Some((one, other)) = one.train.zip(other.train) {
            canvas.dashed((*from, y.at(one)), (*to, y.at(other)), 0.25, color)?;
        }
    }
    for (at, score) in points.iter().flatten() {
        if let Some(sd) = score.sd {
            // A bar may be longer than the values that the metric can have.
            let ends = [score.mean - sd, score.mean + sd].map(|end| y.at(end).clamp(top, bottom));
            canvas.line(&ends.map(|end| (*at, end)), 0.25, color)?;
            for end in ends {
                let stroke: [Point; 2] = [(at - BAR_END_MM, end), (at + BAR_END_MM, end)];
                canvas.line(&stroke, 0.25, color)?;
            }
        }
        canvas.marker((*at, y.at(score.mean)), style.model(index), !score.is_ranked)?;
    }
    Ok(())
}
