//! Latency of every single prediction: the share of predictions that took at most so long, per task.

use super::axis::AxisScale;
use super::canvas::{Canvas, Point, Rect};
use super::frame::{Axis, frame};
use super::panel_grid::{PanelGrid, of_settings};
use super::point::words;
use super::style::Style;
use super::{Drawn, Figure, Picture};
use crate::cell::Cell;
use crate::error::ReportError;
use crate::format::{percent, si};
use crate::results::Results;

/// The figure `latency-ecdf`.
pub(crate) struct LatencyEcdf;

const PANEL_HEIGHT_MM: f64 = 50.0;
/// The largest number of steps of a line. With more, a step is smaller than the width of the line.
const MAX_STEPS: usize = 200;

/// The models of a setting, each with its latencies in seconds, ascending.
struct EcdfPanel {
    /// The index of the setting in the grid.
    setting: usize,
    lines: Vec<(usize, Vec<f64>)>,
}

impl Figure for LatencyEcdf {
    fn name(&self) -> &'static str {
        "latency-ecdf"
    }

    fn about(&self) -> &'static str {
        "the share of single predictions that took at most so long, per task"
    }

    fn draw(&self, results: &Results, style: &Style) -> Result<Drawn, ReportError> {
        let caption = "The empirical distribution of the latency of single predictions, encoding included: a line is as high as \
                the share of a model's predictions that took at most the time below. All seeds and folds are together. The axis is \
                logarithmic, and further left is faster. A steep line is an even latency, and a long end on the right is \
                what a percentile leaves out. The markers only say whose line it is.";
        let picture = Picture::new(self.name(), "Distribution of the latency", caption);
        let grid = PanelGrid {
            panels: of_settings(results, panel),
            labels: &|panel| panel.lines.iter().map(|(label, _)| *label).collect(),
            dashed: &|_| None,
            rows: 4,
            height_mm: &|_| PANEL_HEIGHT_MM,
            draw: &|canvas, panel, place| draw_panel(canvas, style, results, panel, place),
        };
        grid.drawn(&results.grid.labels, style, picture)
    }
}

fn panel(results: &Results, setting: usize) -> Option<EcdfPanel> {
    let line = |(label, cell): (usize, &Cell)| {
        let of_trials = cell.trials.iter().filter_map(|trial| results.latencies.get(&trial.case));
        let mut seconds: Vec<f64> = of_trials.flatten().copied().filter(|seconds| *seconds > 0.0).collect();
        seconds.sort_by(f64::total_cmp);
        (!seconds.is_empty()).then_some((label, seconds))
    };
    let lines: Vec<(usize, Vec<f64>)> = results.grid.row(setting).filter_map(line).collect();
    (!lines.is_empty()).then_some(EcdfPanel { setting, lines })
}

/// Latencies and the shares of all latencies that are at most as long, ascending, up to `MAX_STEPS` of them. The shortest and the
/// longest latency are always among them.
fn steps(ascending: &[f64]) -> Vec<(f64, f64)> {
    let count = ascending.len();
    let shown = count.min(MAX_STEPS);
    let nth = |step: usize| if shown < 2 { 0 } else { step * (count - 1) / (shown - 1) };
    (0..shown).map(nth).map(|index| (ascending[index], (index + 1) as f64 / count as f64)).collect()
}

fn draw_panel(
    canvas: &Canvas<'_>,
    style: &Style,
    results: &Results,
    panel: &EcdfPanel,
    place: Rect,
) -> Result<(), String> {
    let seconds = panel.lines.iter().flat_map(|(_, seconds)| seconds.iter().copied());
    let (Some(x), Some(y)) = (AxisScale::around(seconds, true), AxisScale::around([0.0, 1.0], false)) else {
        return Ok(());
    };
    let x = Axis { scale: x, title: "time per example (log)".to_owned(), unit: "s", reversed: false };
    let y = Axis { scale: y.within(0.0, 1.0), title: "share of predictions".to_owned(), unit: "", reversed: false };
    let (x, y) = frame(canvas, style, place, &results.setting(panel.setting).title, (&x, &y))?;
    let mut markers = Vec::new();
    for (nth, (label, seconds)) in panel.lines.iter().enumerate() {
        let (color, _) = style.model(*label);
        let steps = steps(seconds);
        let mut line: Vec<Point> = Vec::with_capacity(2 * steps.len() + 2);
        let mut before = y.at(0.0);
        for (seconds, share) in &steps {
            let (at, height) = (x.at(*seconds), y.at(*share));
            line.extend([(at, before), (at, height)]);
            before = height;
        }
        line.push((x.ends().1, before));
        canvas.line(&line, 0.3, color)?;
        // Each line has its markers at heights of its own, so that lines which coincide are still told apart.
        let height = (nth as f64 + 0.5) / panel.lines.len() as f64;
        for share in [0.5 * height, 0.5 + 0.5 * height] {
            let at = steps.iter().find(|(_, reached)| *reached >= share);
            markers.extend(at.map(|(seconds, reached)| {
                let measured = format!("{} of predictions take at most {}", percent(*reached), si(*seconds, "s"));
                ((x.at(*seconds), y.at(share)), *label, words(results, panel.setting, *label, &measured))
            }));
        }
    }
    markers.into_iter().try_for_each(|(at, label, words)| {
        canvas.point(at, &words);
        canvas.marker(at, style.model(label), false)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_is_the_share_of_latencies_that_are_at_most_as_long() {
        assert_eq!(steps(&[1.0, 2.0, 2.0, 5.0]), [(1.0, 0.25), (2.0, 0.5), (2.0, 0.75), (5.0, 1.0)]);
        assert_eq!(steps(&[3.0]), [(3.0, 1.0)]);
        let many: Vec<f64> = (1..=1001).map(f64::from).collect();
        let steps = steps(&many);
        assert_eq!((steps.len(), steps[0], steps[MAX_STEPS - 1]), (MAX_STEPS, (1.0, 1.0 / 1001.0), (1001.0, 1.0)));
        assert!(steps.iter().all(|(seconds, share)| (share - seconds / 1001.0).abs() < 1e-12));
    }
}
