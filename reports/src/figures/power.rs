//! Power over the time of a fit, per task and meter.

use super::axis::AxisScale;
use super::canvas::{Canvas, Point, Rect};
use super::frame::{Axis, frame};
use super::marked_lines::{self, HOW_TO_TELL_APART, MarkedLine};
use super::panel_grid::{PanelGrid, of_settings};
use super::point::words_of_case;
use super::style::Style;
use super::{Drawn, Figure, Picture};
use crate::cell::origin;
use crate::error::ReportError;
use crate::format::si;
use crate::latencies::PowerTrace;
use crate::results::Results;

/// The figure `power`.
pub(crate) struct Power;

const PANEL_HEIGHT_MM: f64 = 50.0;

/// The fits of a setting whose power one meter measured.
struct PowerPanel {
    /// The index of the setting in the grid.
    setting: usize,
    source: String,
    lines: Vec<PowerLine>,
    /// Watts of the idle machine before the first case.
    idle: Option<f64>,
}

/// One fit: the seconds since it began, and the watts there.
struct PowerLine {
    label: usize,
    case: String,
    steps: Vec<(f64, f64)>,
}

impl Figure for Power {
    fn name(&self) -> &'static str {
        "power"
    }

    fn about(&self) -> &'static str {
        "watts over the time of the fit, per task and meter"
    }

    fn draw(&self, results: &Results, style: &Style) -> Result<Drawn, ReportError> {
        let caption = format!(
            "The power of the machine during the fit of each model's first seed or fold, as the meter that the axis names counted it. A \
                fit that was interrupted is shown from where it went on. A dashed line is the idle machine before the first case. What a \
                meter counts is the whole machine's, so other programs are part of it. {HOW_TO_TELL_APART}"
        );
        let picture = Picture::new(self.name(), "Power during the fit", caption);
        let grid = PanelGrid {
            panels: of_settings(results, panels),
            labels: &|panel| panel.lines.iter().map(|line| line.label).collect(),
            dashed: &|panel| panel.idle.map(|_| "idle machine"),
            rows: 4,
            height_mm: &|_| PANEL_HEIGHT_MM,
            draw: &|canvas, panel, place| draw_panel(canvas, style, results, panel, place),
        };
        grid.drawn(&results.grid.labels, style, picture)
    }
}

/// A panel for each meter that measured a fit of the setting.
fn panels(results: &Results, setting: usize) -> Vec<PowerPanel> {
    let mut panels: Vec<PowerPanel> = Vec::new();
    for (label, cell) in results.grid.row(setting) {
        let first = cell.trials.iter().find_map(|trial| Some((trial, results.power.get(&trial.case)?)));
        let Some((trial, traces)) = first else { continue };
        for trace in traces {
            let steps = watts(trace);
            if steps.is_empty() {
                continue;
            }
            let line = PowerLine { label, case: trial.case.clone(), steps };
            match panels.iter_mut().find(|panel| panel.source == trace.source) {
                Some(panel) => panel.lines.push(line),
                None => {
                    let idle = trial.get_from("fit", "idle_w", &trace.source).map(|idle| idle.value);
                    let source = trace.source.clone();
                    panels.push(PowerPanel { setting, source, lines: vec![line], idle });
                }
            }
        }
    }
    panels
}

/// The mean power between each two samples, at the moment between them. A logarithmic axis begins after 0.
fn watts(trace: &PowerTrace) -> Vec<(f64, f64)> {
    let between = |pair: &[(f64, f64)]| {
        let [(from, before), (to, after)] = [pair[0], pair[1]];
        (to > from).then(|| (f64::midpoint(from, to), (after - before) / (to - from)))
    };
    trace.points.windows(2).filter_map(between).collect()
}

fn draw_panel(
    canvas: &Canvas<'_>,
    style: &Style,
    results: &Results,
    panel: &PowerPanel,
    place: Rect,
) -> Result<(), String> {
    let steps = || panel.lines.iter().flat_map(|line| line.steps.iter());
    let x = AxisScale::around(steps().map(|(seconds, _)| *seconds), true);
    let y = AxisScale::around(steps().map(|(_, watts)| *watts).chain(panel.idle).chain([0.0]), false);
    let (Some(x), Some(y)) = (x, y) else { return Ok(()) };
    let x = Axis { scale: x, title: "time since the fit began (log)".to_owned(), unit: "s", reversed: false };
    let title = format!("power in W ({})", origin(&panel.source));
    let y = Axis { scale: y.within(0.0, f64::INFINITY), title, unit: "", reversed: false };
    let (x, y) = frame(canvas, style, place, &results.setting(panel.setting).title, (&x, &y))?;
    if let Some(idle) = panel.idle {
        let (left, right) = x.ends();
        canvas.dashed((left, y.at(idle)), (right, y.at(idle)), 0.2, style.ink)?;
    }
    let line = |line: &PowerLine| {
        let (seconds, watts) = line.steps.last().copied().unwrap_or_default();
        let measured = format!("{} after {}", si(watts, "W"), si(seconds, "s"));
        let points: Vec<Point> = line.steps.iter().map(|(seconds, watts)| (x.at(*seconds), y.at(*watts))).collect();
        MarkedLine {
            label: line.label,
            points,
            width_mm: 0.3,
            hollow: !results.is_ranked(panel.setting, line.label),
            words: words_of_case(results, panel.setting, line.label, &measured, &line.case),
        }
    };
    marked_lines::draw(canvas, style, &panel.lines.iter().map(line).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn power_is_the_joules_between_two_samples_over_their_seconds() {
        let trace = PowerTrace {
            source: "rapl".to_owned(),
            points: vec![(0.0, 100.0), (1.0, 120.0), (3.0, 160.0), (3.0, 160.0)],
        };
        assert_eq!(watts(&trace), [(0.5, 20.0), (2.0, 20.0)]);
    }
}
