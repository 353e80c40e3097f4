//! Quality: every model's primary metric with its interval, and the floor, per task.

use super::frame::Axis;
use super::rows_chart::{Mark, ModelRow, RowsPanel, draw};
use super::scale::Scale;
use super::{Drawn, Figure, Picture, Style, capped};
use crate::error::ReportError;
use crate::grid::Setting;
use crate::metric::Better;
use crate::record::Status;
use crate::results::Results;
use crate::table::{Line, Table};

/// The figure `quality`.
pub(crate) struct Quality;

impl Figure for Quality {
    fn name(&self) -> &'static str {
        "quality"
    }

    fn about(&self) -> &'static str {
        "the primary metric of every model with its 95 % interval and the floor, per task"
    }

    fn draw(&self, results: &Results, style: &Style) -> Result<Drawn, ReportError> {
        let mut drawn = Drawn::default();
        let panels: Vec<RowsPanel> = results.tables.iter().filter_map(|table| panel(results, table)).collect();
        let shown = capped(self.name(), panels.len(), &mut drawn.remarks);
        if shown == 0 {
            return Ok(drawn);
        }
        let title = "Quality per task";
        let caption = "The marker is the primary metric on the test examples, the mean over seeds. The line is its 95 % \
            interval: Wilson's for accuracy, the bootstrap's for other metrics. The dashed line is the floor, which a \
            constant answer scores. A hollow marker is not ranked: it is no better than the floor, or a seed failed.";
        let svg = draw(&panels[..shown], style, title, caption)
            .map_err(|message| ReportError::Figure { figure: self.name().to_owned(), message })?;
        drawn.pictures.push(Picture {
            name: self.name().to_owned(),
            title: title.to_owned(),
            caption: caption.to_owned(),
            svg,
            key: String::new(),
        });
        Ok(drawn)
    }
}

fn panel(results: &Results, table: &Table) -> Option<RowsPanel> {
    let setting = results.setting(table.setting);
    let numbers = table.lines.iter().flat_map(|line| {
        let ends = line.interval.map(|interval| [interval.low, interval.high]);
        line.primary.map(|primary| primary.mean).into_iter().chain(ends.into_iter().flatten())
    });
    let scale = Scale::around(numbers.chain(table.floor), false)?;
    if table.lines.iter().all(|line| line.primary.is_none()) {
        return None;
    }
    let rows = table.lines.iter().map(|line| row(results, line)).collect();
    let axis = Axis { scale: limits(setting, scale), title: axis_title(setting), unit: "", reversed: false };
    Some(RowsPanel { title: setting.title.clone(), axis, rows, reference: table.floor.map(|floor| (floor, "floor")) })
}

fn row(results: &Results, line: &Line) -> ModelRow {
    let mark = line.primary.map(|primary| Mark {
        at: primary.mean,
        range: line.interval.map(|interval| (interval.low, interval.high)),
        dots: Vec::new(),
        hollow: line.status != Status::Ok,
    });
    ModelRow {
        label: line.label,
        name: results.grid.labels[line.label].clone(),
        mark: mark.ok_or_else(|| line.status.to_string()),
    }
}

/// The axis, no wider than the values that the metric can have.
pub(crate) fn limits(setting: &Setting, scale: Scale) -> Scale {
    match setting.task.primary.as_str() {
        "mse" | "mae" => scale.within(0.0, f64::INFINITY),
        "r2" => scale,
        _ => scale.within(-1.0, 1.0),
    }
}

/// `accuracy (higher is better)`.
pub(crate) fn axis_title(setting: &Setting) -> String {
    let metric = setting.primary();
    let better = match metric.better {
        Better::Higher => "higher is better",
        Better::Lower => "lower is better",
    };
    format!("{}{} ({better})", metric.title, setting.primary_unit())
}

/// The name of the primary metric on a vertical axis, where there is less room.
pub(crate) fn short_title(setting: &Setting) -> String {
    let metric = setting.primary();
    let reversed = if metric.better == Better::Lower { " (reversed)" } else { "" };
    format!("{}{}{reversed}", metric.short_title(), setting.primary_unit())
}
