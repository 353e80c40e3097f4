//! The tables of latency: single predictions with the bounds of their percentiles, and latency under load.

use crate::cell::{Cell, NEEDS_MORE_QUERIES, Trial, is_of_round};
use crate::extra_tables::ExtraTable;
use crate::format::si;
use crate::results::Results;
use crate::table::{CellKind, Emphasis, Table, TableCell, TableColumn};

const SINGLE: &str = "predict-single";
const SERVER: &str = "server";

const SINGLE_RULE: &str = "One example is predicted after another, each from the raw example to its prediction. A percentile is that of the \
    timed predictions, the mean over seeds and folds. A bound is what the percentile of all predictions does not exceed, at confidence \
    0.99 by MLPerf's rule of early stopping; it is the highest of the seeds and folds. Where there were too few predictions for it, the \
    table says how many more it needs. Outliers are longer than the third quartile and three times the distance between the quartiles. \
    They are counted and never left out.";

const SERVER_RULE: &str = "Queries arrive at random times, wait until a worker is free, and are answered one at a time. The highest rate is \
    the highest that was tried at which 99 % of the queries are answered within the bound, by MLPerf's rule of early stopping at \
    confidence 0.99. The capacity is the rate if a worker never waits. Latency is from the arrival of a query to its answer, of which \
    queueing is the time until a worker takes it. All times are those at the highest rate, the means over seeds and folds. Where the queue \
    did not fill, even the capacity held the bound, because the measurement ended before the wait was as long as the bound; a longer one \
    may find a lower rate.";

/// What the note of a highest rate has if that is the capacity.
const NOT_FULL: &str = "the queue did not fill";

const ONE_ROUND: &str = " Each model was served once, so the table does not show how well its times repeat: `rounds = 3` in [latency] does.";

/// What a measurement shorter than MLPerf's says of itself.
const SHORTENED: &str = "shortened";

/// Latency of single predictions; `None` if no case has a bound of a percentile, as in runs before there were any.
pub(crate) fn single_predictions(results: &Results) -> Option<ExtraTable> {
    let mut columns = head();
    for title in ["p50", "p50 at most", "p90", "p90 at most", "p99", "p99 at most"] {
        columns.push(TableColumn::new(title, CellKind::Number));
    }
    columns.extend(["queries", "outliers"].map(|title| TableColumn::new(title, CellKind::Number)));
    columns.push(TableColumn::new("measured for", CellKind::Text));
    let mut table = Table::new("Latency of single predictions", columns);
    for_each_cell(results, |setting, label, cell| {
        if !cell.trials.iter().any(|trial| trial.get(SINGLE, "queries").is_some()) {
            return;
        }
        let mut cells = names(results, setting, label);
        for share in ["p50", "p90", "p99"] {
            cells.push(mean(cell, SINGLE, &format!("latency_{share}_s"), "s"));
            cells.push(bound(cell, &format!("latency_{share}_bound_s")));
        }
        cells.extend([number(cell, SINGLE, "queries"), number(cell, SINGLE, "latency_outliers")]);
        cells.push(measured_for(cell, SINGLE));
        table.push_about(results.subject(setting, label, cell.status), Emphasis::Plain, cells);
    });
    let title = "Latency of single predictions";
    let has_rounds =
        results.grid.trials().any(|(_, _, trial)| trial.values.iter().any(|value| is_of_round(&value.conditions)));
    let rule = format!("{SINGLE_RULE}{}", if has_rounds { "" } else { ONE_ROUND });
    (!table.rows.is_empty()).then_some(ExtraTable { id: "latency", title, rule, of_run: String::new(), table })
}

/// Latency under load; `None` if no case measured it.
pub(crate) fn under_load(results: &Results) -> Option<ExtraTable> {
    let mut columns = head();
    columns.extend(
        ["bound", "highest rate", "capacity", "p50", "p99", "queueing p99", "service p99"]
            .map(|title| TableColumn::new(title, CellKind::Number)),
    );
    columns.push(TableColumn::new("measured for", CellKind::Text));
    let mut table = Table::new("Latency under load", columns);
    let mut of_run = String::new();
    for_each_cell(results, |setting, label, cell| {
        if !cell.trials.iter().any(|trial| trial.get(SERVER, "declared_bound_s").is_some()) {
            return;
        }
        let mut cells = names(results, setting, label);
        cells.push(mean(cell, SERVER, "declared_bound_s", "s"));
        let without = cell.trials.iter().filter_map(|trial| Some((trial, reason(trial, "max_rate_per_s")?)));
        let without: Vec<(&Trial, &str)> = without.collect();
        let has_none = TableCell::Text("none".to_owned());
        cells.push(if without.is_empty() { mean(cell, SERVER, "max_rate_per_s", "1/s") } else { has_none });
        cells.push(mean(cell, SERVER, "capacity_per_s", "1/s"));
        for metric in ["latency_p50_s", "latency_p99_s", "queueing_p99_s", "service_p99_s"] {
            cells.push(if without.is_empty() { mean(cell, SERVER, metric, "s") } else { TableCell::Empty });
        }
        let rates = cell.trials.iter().filter_map(|trial| trial.get(SERVER, "max_rate_per_s"));
        let not_full = rates.into_iter().any(|rate| rate.note.contains(NOT_FULL));
        cells.push(match measured_for(cell, SERVER) {
            TableCell::Text(text) if not_full => TableCell::Text(format!("{text}; {NOT_FULL}")),
            other => other,
        });
        table.push_about(results.subject(setting, label, cell.status), Emphasis::Plain, cells);
        for (trial, reason) in without {
            of_run += &format!(" {}: {reason}.", trial.case);
        }
    });
    let title = "Latency under load";
    (!table.rows.is_empty()).then(|| ExtraTable {
        id: "under-load",
        title,
        rule: SERVER_RULE.to_owned(),
        of_run,
        table,
    })
}

fn head() -> Vec<TableColumn> {
    vec![TableColumn::new("setting", CellKind::Text), TableColumn::new("model", CellKind::Name)]
}

fn names(results: &Results, setting: usize, label: usize) -> Vec<TableCell> {
    let title = results.setting(setting).title.clone();
    vec![TableCell::Text(title), TableCell::Text(results.name_in(setting, label))]
}

fn for_each_cell(results: &Results, mut each: impl FnMut(usize, usize, &Cell)) {
    for setting in 0..results.grid.settings.len() {
        for (label, cell) in results.grid.row(setting) {
            each(setting, label, cell);
        }
    }
}

fn mean(cell: &Cell, phase: &str, metric: &str, unit: &'static str) -> TableCell {
    cell.mean(phase, metric).map_or(TableCell::Empty, |mean| TableCell::Quantity { value: mean.mean, unit })
}

fn number(cell: &Cell, phase: &str, metric: &str) -> TableCell {
    cell.mean(phase, metric).map_or(TableCell::Empty, |mean| TableCell::Number(mean.mean))
}

/// Why a case has no number of this metric of the scenario `server`.
fn reason<'a>(trial: &'a Trial, metric: &str) -> Option<&'a str> {
    let gap = trial.gaps.iter().find(|gap| gap.phase == SERVER && gap.metric == metric)?;
    Some(&gap.reason)
}

/// The highest bound of the cases, or how many more queries the one that lacks most needs.
fn bound(cell: &Cell, metric: &str) -> TableCell {
    let missing = |trial: &Trial| {
        let gap = trial.gaps.iter().find(|gap| gap.phase == SINGLE && gap.metric == metric)?;
        gap.reason.strip_prefix(NEEDS_MORE_QUERIES)?.trim_start_matches(':').trim().parse::<usize>().ok()
    };
    if let Some(missing) = cell.trials.iter().filter_map(missing).max() {
        return TableCell::Text(format!("needs {missing} more"));
    }
    let bounds = cell.trials.iter().filter_map(|trial| trial.get(SINGLE, metric)).map(|bound| bound.value);
    bounds.reduce(f64::max).map_or(TableCell::Empty, |value| TableCell::Quantity { value, unit: "s" })
}

/// The shortest time of the cases, and whether it is shorter than MLPerf's.
fn measured_for(cell: &Cell, phase: &str) -> TableCell {
    let measured = cell.trials.iter().filter_map(|trial| trial.get(phase, "measured_s"));
    let Some(shortest) = measured.min_by(|one, other| one.value.total_cmp(&other.value)) else {
        return TableCell::Empty;
    };
    let mark = if shortest.note.starts_with(SHORTENED) { ", shortened" } else { "" };
    TableCell::Text(format!("{}{mark}", si(shortest.value, "s")))
}
