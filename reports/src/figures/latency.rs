//! Latency: the range from the median to the 99th percentile of single predictions, per task.

use super::axis::AxisScale;
use super::frame::Axis;
use super::panel_grid::of_settings;
use super::point::words;
use super::rows_chart::{self, Mark, ModelRow, RowsPanel};
use super::{Drawn, Figure, Picture, Style};
use crate::cell::Cell;
use crate::error::ReportError;
use crate::format::si;
use crate::record::Status;
use crate::results::Results;

/// The figure `latency`.
pub(crate) struct Latency;

const PHASE: &str = "predict-single";

impl Figure for Latency {
    fn name(&self) -> &'static str {
        "latency"
    }

    fn about(&self) -> &'static str {
        "p50 to p99 of single predictions on a logarithmic axis, per task"
    }

    fn draw(&self, results: &Results, style: &Style) -> Result<Drawn, ReportError> {
        let title = "Latency of one prediction";
        let caption = "The marker is the median time from one raw example to its prediction, encoding included. The line \
            goes to the 99th percentile, with dots at the 90th and 95th. The axis is logarithmic, and left is faster. A \
            hollow marker is not ranked: its answers are no better than the floor, or a seed or fold failed or is missing.";
        let picture = Picture::new(self.name(), title, caption);
        rows_chart::draw(of_settings(results, panel), results, style, picture)
    }
}

fn panel(results: &Results, setting: usize) -> Option<RowsPanel> {
    let cells: Vec<(usize, &Cell)> = results.grid.row(setting).collect();
    let ends = ["latency_p50_s", "latency_p99_s"];
    let numbers = cells.iter().flat_map(|(_, cell)| ends.iter().filter_map(|metric| seconds(cell, metric)));
    let scale = AxisScale::around(numbers, true)?;
    let rows = cells.into_iter().map(|(label, cell)| ModelRow {
        label,
        name: results.grid.labels[label].clone(),
        mark: mark(results, setting, label, cell).ok_or_else(|| ending(cell)),
    });
    let axis = Axis { scale, title: "latency, p50 to p99 (log)".to_owned(), unit: "s", reversed: false };
    let title = results.setting(setting).title.clone();
    Some(RowsPanel { title, axis, rows: rows.collect(), reference: None })
}

fn seconds(cell: &Cell, metric: &str) -> Option<f64> {
    cell.mean(PHASE, metric).map(|mean| mean.mean)
}

fn mark(results: &Results, setting: usize, label: usize, cell: &Cell) -> Option<Mark> {
    let p50 = seconds(cell, "latency_p50_s")?;
    let dots = ["latency_p90_s", "latency_p95_s"].iter().filter_map(|metric| seconds(cell, metric)).collect();
    let range = seconds(cell, "latency_p99_s").map(|p99| (p50, p99));
    let p99 = range.map_or(String::new(), |(_, p99)| format!(", p99 {}", si(p99, "s")));
    let words = words(results, setting, label, &format!("p50 {}{p99}", si(p50, "s")));
    let hollow = !results.is_ranked(setting, label);
    Some(Mark { at: p50, range, dots, trials: Vec::new(), hollow, words })
}

fn ending(cell: &Cell) -> String {
    if cell.status == Status::Ok { "not measured".to_owned() } else { cell.status.to_string() }
}
