//! `summary.csv`: one wide row per finished case. It is the file that most people open first.

use crate::answers::Answers;
use crate::cell::Trial;
use crate::estimate::interval_of_trial;
use crate::metric::{METRICS, SummaryColumn};
use crate::results::Results;
use crate::setting::Setting;
use crate::statistics::Interval;
use crate::table::{CellKind, Emphasis, Table, TableCell, TableColumn, csv};

/// What tells a case from the others.
const AXES: [&str; 10] =
    ["case", "task", "model", "train_size", "label_noise", "seed", "folds", "repeat", "fold", "device"];

/// The bytes of `summary.csv`. Cases are in the order of the report: by setting, model and seed.
pub(crate) fn summary(results: &Results) -> Vec<u8> {
    let text = |title: &str| TableColumn::new(title, CellKind::Text);
    let number = |title: &str| TableColumn::new(title, CellKind::Number);
    let mut columns = AXES.iter().chain(&["status", "primary_metric"]).map(|title| text(title)).collect::<Vec<_>>();
    columns.extend(["primary", "primary_low", "primary_high"].map(number));
    for (_, column) in metric_columns() {
        columns.push(number(column.title));
        columns.extend((!column.note_title.is_empty()).then(|| text(column.note_title)));
    }
    columns.extend(["energy_source", "note"].map(text));
    let mut table = Table::new("Finished cases", columns);
    for (setting, label, trial) in results.grid.trials() {
        let answers = results.answers.get(&trial.case);
        table.push(Emphasis::Plain, cells(results.setting(setting), &results.grid.labels[label], trial, answers));
    }
    csv(&table)
}

/// Each metric with its columns.
fn metric_columns() -> impl Iterator<Item = (&'static str, &'static SummaryColumn)> {
    METRICS.iter().flat_map(|metric| metric.columns.iter().map(|column| (metric.name, column)))
}

fn cells(setting: &Setting, label: &str, trial: &Trial, answers: Option<&Answers>) -> Vec<TableCell> {
    let text = |text: &str| TableCell::Text(text.to_owned());
    let number = |value: Option<f64>| value.map_or(TableCell::Empty, TableCell::Number);
    let task = &setting.task;
    let primary = trial.get("score", &task.primary).map(|value| value.value);
    let interval = primary.and_then(|primary| interval(setting, trial, primary, answers));
    let mut cells = vec![
        text(&trial.case),
        text(&task.name),
        text(label),
        text(&setting.train_size.to_string()),
        number(Some(setting.label_noise)),
        text(&trial.seed.to_string()),
        number(setting.folds.map(|folds| folds as f64)),
        number(trial.fold.map(|(repeat, _)| repeat as f64)),
        number(trial.fold.map(|(_, fold)| fold as f64)),
        text(&setting.device),
        text(trial.status.name()),
        text(&task.primary),
        number(primary),
        number(interval.map(|interval| interval.low)),
        number(interval.map(|interval| interval.high)),
    ];
    for (metric, column) in metric_columns() {
        let value = trial.get(column.phase, metric);
        cells.push(number(value.map(|value| value.value)));
        cells.extend((!column.note_title.is_empty()).then(|| text(value.map_or("", |value| &value.note))));
    }
    let energy = trial.values.iter().find(|value| value.metric == "energy_j");
    cells.push(text(energy.map_or("", |value| &value.source)));
    cells.push(text(&trial.note));
    cells
}

fn interval(setting: &Setting, trial: &Trial, primary: f64, answers: Option<&Answers>) -> Option<Interval> {
    let examples = trial.get("score", "examples").map_or(0.0, |examples| examples.value);
    interval_of_trial(setting.score(), primary, examples, answers)
}
