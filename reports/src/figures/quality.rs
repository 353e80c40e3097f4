//! Quality: every model's primary metric with its interval, and the floor, per task.

use super::axis::AxisScale;
use super::frame::Axis;
use super::point::words;
use super::rows_chart::{self, Mark, ModelRow, RowsPanel};
use super::{Drawn, Figure, Picture, Style};
use crate::cell::Mean;
use crate::error::ReportError;
use crate::metric::Better;
use crate::ranking::{RankedModel, Ranking};
use crate::results::Results;
use crate::setting::Setting;
use crate::table::TableCell;

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
        let title = "Quality per task";
        let caption = "The marker is the primary metric on the test examples, the mean over seeds and folds. The line is its \
            95 % interval, of other seeds and test examples, or of test examples only if there is one seed. Small dots below the line are the \
            single seeds or folds, if there are several; dots that would cover each other are stacked. The dashed line is the floor, which a \
            constant answer scores. A name with † is that of a model that saw the task in pretraining. A hollow marker is not ranked: it is no better than the floor, or a seed or fold failed or is missing.";
        let picture = Picture::new(self.name(), title, caption);
        let panels = results.rankings.iter().filter_map(|ranking| panel(results, ranking)).collect();
        rows_chart::draw(panels, results, style, picture)
    }
}

fn panel(results: &Results, ranking: &Ranking) -> Option<RowsPanel> {
    let setting = results.setting(ranking.setting);
    let numbers = ranking.models.iter().flat_map(|model| {
        let ends = model.interval().map(|interval| [interval.low, interval.high]);
        let trials = scores_of_trials(results, ranking.setting, model.label);
        model.primary.map(|primary| primary.mean).into_iter().chain(ends.into_iter().flatten()).chain(trials)
    });
    let scale = AxisScale::around(numbers.chain(ranking.floor), false)?;
    if ranking.models.iter().all(|model| model.primary.is_none()) {
        return None;
    }
    let rows = ranking.models.iter().map(|model| row(results, ranking.setting, model)).collect();
    let axis = Axis { scale: limits(setting, scale), title: axis_title(setting), unit: "", reversed: false };
    Some(RowsPanel { title: setting.title.clone(), axis, rows, reference: ranking.floor.map(|floor| (floor, "floor")) })
}

/// The score of each seed or fold; none if there is one.
fn scores_of_trials(results: &Results, setting: usize, label: usize) -> Vec<f64> {
    let primary = &results.setting(setting).task.primary;
    let trials = results.grid.cell(setting, label).map_or(&[][..], |cell| &cell.trials);
    let scores = trials.iter().filter_map(|trial| trial.get("score", primary)).map(|score| score.value);
    Some(scores.collect::<Vec<f64>>()).filter(|scores| scores.len() > 1).unwrap_or_default()
}

fn row(results: &Results, setting: usize, model: &RankedModel) -> ModelRow {
    let metric = results.setting(setting).primary();
    let measured = |mean: Mean| {
        let score = TableCell::Estimate { metric, value: mean.mean, interval: model.interval() }.text();
        format!("{} {score}", metric.short_title())
    };
    let mark = model.primary.map(|primary| Mark {
        words: words(results, setting, model.label, &measured(primary)),
        at: primary.mean,
        range: model.interval().map(|interval| (interval.low, interval.high)),
        dots: Vec::new(),
        trials: scores_of_trials(results, setting, model.label),
        hollow: model.ranks.is_none(),
    });
    ModelRow {
        label: model.label,
        name: results.name_in(setting, model.label),
        mark: mark.ok_or_else(|| model.status.to_string()),
    }
}

/// The axis, cut to the values that the metric can have.
pub(crate) fn limits(setting: &Setting, scale: AxisScale) -> AxisScale {
    let (low, high) = setting.score().range;
    scale.within(low, high)
}

/// `accuracy (higher is better)`.
pub(crate) fn axis_title(setting: &Setting) -> String {
    let metric = setting.primary();
    format!("{}{} ({})", metric.title, setting.primary_unit(), metric.better.name())
}

/// A vertical axis of the primary metric, from small numbers up. `of` says whose score it is.
pub(crate) fn score_axis(setting: &Setting, scale: AxisScale, of: &str) -> Axis {
    let metric = setting.primary();
    // Readers take up for better.
    let better = if metric.better == Better::Lower { format!(" ({})", metric.better.name()) } else { String::new() };
    let title = format!("{of}{}{}{better}", metric.short_title(), setting.primary_unit());
    Axis { scale: limits(setting, scale), title, unit: "", reversed: false }
}

/// The short name of the primary metric, for a vertical axis, which has less room.
pub(crate) fn short_title(setting: &Setting) -> String {
    let metric = setting.primary();
    let reversed = if metric.better == Better::Lower { " (reversed)" } else { "" };
    format!("{}{}{reversed}", metric.short_title(), setting.primary_unit())
}
