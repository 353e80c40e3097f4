//! Latency under load: the 99th percentile against the rate at which queries arrive.

use super::axis::AxisScale;
use super::canvas::{Canvas, Rect};
use super::frame::{Axis, frame};
use super::marked_lines::{self, HOW_TO_TELL_APART, MarkedLine};
use super::panel_grid::{PanelGrid, of_settings};
use super::point::words;
use super::reference::draw_reference;
use super::style::Style;
use super::{Drawn, Figure, Picture};
use crate::cell::{Cell, is_of_round};
use crate::error::ReportError;
use crate::format::si;
use crate::results::Results;

/// The figure `server`.
pub(crate) struct Server;

const PANEL_HEIGHT_MM: f64 = 50.0;
const PHASE: &str = "server";

/// Rates with the 99th percentile of the latency, ascending.
type Line = Vec<(f64, f64)>;

struct ServerPanel {
    /// The index of the setting in the grid.
    setting: usize,
    lines: Vec<(usize, Line)>,
    /// The bound on the latency in seconds, if all models have the same.
    bound_s: Option<f64>,
}

impl Figure for Server {
    fn name(&self) -> &'static str {
        "server"
    }

    fn about(&self) -> &'static str {
        "p99 of the latency against the rate of queries, per task"
    }

    fn draw(&self, results: &Results, style: &Style) -> Result<Drawn, ReportError> {
        let caption = format!(
            "Each line has the rates of queries that a model was tried with, and the 99th percentile of the time from the arrival of a query \
                to its answer. All seeds and folds are together. Rates at which the queue grew without bound have no percentile and no point. \
                The thin line is the bound that the suite declares. Both axes are logarithmic: further right and further down is \
                better. {HOW_TO_TELL_APART}"
        );
        let picture = Picture::new(self.name(), "Latency under load", caption);
        let grid = PanelGrid {
            panels: of_settings(results, panel),
            labels: &|panel| panel.lines.iter().map(|(label, _)| *label).collect(),
            dashed: &|_| None,
            rows: 4,
            height_mm: &|_| PANEL_HEIGHT_MM,
            draw: &|canvas, panel, place| draw_panel(canvas, style, results, panel, place),
        };
        grid.drawn(results, style, picture)
    }
}

fn panel(results: &Results, setting: usize) -> Option<ServerPanel> {
    let cells = || results.grid.row(setting);
    let lines: Vec<(usize, Line)> =
        cells().map(|(label, cell)| (label, line(cell))).filter(|(_, line)| !line.is_empty()).collect();
    let mut bounds: Vec<f64> =
        cells().filter_map(|(_, cell)| cell.mean(PHASE, "declared_bound_s")).map(|bound| bound.mean).collect();
    bounds.dedup();
    let bound_s = if let [bound] = bounds[..] { Some(bound) } else { None };
    (!lines.is_empty()).then_some(ServerPanel { setting, lines, bound_s })
}

fn line(cell: &Cell) -> Line {
    let values = cell.trials.iter().flat_map(|trial| &trial.values);
    let is_p99 = |value: &&crate::cell::Value| value.phase == PHASE && value.metric == "latency_p99_s";
    let mut line: Line =
        values.filter(is_p99).filter_map(|value| Some((rate(&value.conditions)?, value.value))).collect();
    line.retain(|(rate, seconds)| *rate > 0.0 && *seconds > 0.0);
    line.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    line
}

/// The rate in the conditions of a row; `None` for a row that has none, or is of one round of several.
fn rate(conditions: &str) -> Option<f64> {
    if is_of_round(conditions) {
        return None;
    }
    conditions.split(' ').find_map(|condition| condition.strip_prefix("rate_per_s="))?.parse().ok()
}

fn draw_panel(
    canvas: &Canvas<'_>,
    style: &Style,
    results: &Results,
    panel: &ServerPanel,
    place: Rect,
) -> Result<(), String> {
    let points = || panel.lines.iter().flat_map(|(_, line)| line);
    let seconds = points().map(|(_, seconds)| *seconds).chain(panel.bound_s);
    let rates = points().map(|(rate, _)| *rate);
    let (Some(x), Some(y)) = (AxisScale::around(rates, true), AxisScale::around(seconds, true)) else {
        return Ok(());
    };
    let x = Axis { scale: x, title: "rate of queries (log)".to_owned(), unit: "1/s", reversed: false };
    let y = Axis { scale: y, title: "latency p99 (log)".to_owned(), unit: "s", reversed: false };
    let (x, y) = frame(canvas, style, place, &results.setting(panel.setting).title, (&x, &y))?;
    let line = |(label, line): &(usize, Line)| {
        let highest = results.grid.cell(panel.setting, *label).and_then(|cell| cell.mean(PHASE, "max_rate_per_s"));
        let held = highest.map_or("no rate holds the bound".to_owned(), |rate| {
            format!("the highest rate that holds the bound is {}", si(rate.mean, "1/s"))
        });
        MarkedLine {
            label: *label,
            points: line.iter().map(|(rate, seconds)| (x.at(*rate), y.at(*seconds))).collect(),
            width_mm: 0.35,
            hollow: !results.is_ranked(panel.setting, *label),
            words: words(results, panel.setting, *label, &held),
        }
    };
    let lines: Vec<MarkedLine> = panel.lines.iter().map(line).collect();
    if let Some(bound) = panel.bound_s {
        let drawn: Vec<_> = lines.iter().flat_map(|line| line.points.iter().copied()).collect();
        draw_reference(canvas, (&x, &y), (bound, "bound"), style.muted, &drawn)?;
    }
    marked_lines::draw(canvas, style, &lines)
}

#[cfg(test)]
mod tests {
    use super::rate;

    #[test]
    fn the_rate_of_a_row_is_among_its_conditions() {
        assert_eq!(rate("bound_ms=50 rate_per_s=98.44 workers=1"), Some(98.44));
        assert_eq!((rate(""), rate("batch=64")), (None, None));
    }
}
