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
    table says how many more it needs. Queries and outliers are those of all seeds and folds together. Outliers are longer than the third quartile and three times the distance between the quartiles. \
    They are counted and never left out.";

const SERVER_RULE: &str = "Queries arrive at random times, wait until a worker is free, and are answered one at a time. The highest rate is \
    the highest that was tried at which 99 % of the queries are answered within the bound, by MLPerf's rule of early stopping at \
    confidence 0.99, or none. The capacity is the rate if a worker never waits. Latency is from the arrival of a query to its answer, of which \
    queueing is the time until a worker takes it. All times are those at the highest rate, the means over seeds and folds. Where the queue \
    did not fill, even the capacity held the bound, because the measurement ended before the wait was as long as the bound; a longer one \
    may find a lower rate.";

/// What the note of a highest rate has if that is the capacity.
const NOT_FULL: &str = "the queue did not fill";

/// How the reason begins if no rate holds the bound. Any other reason says why the rate could not be measured.
const NONE_HOLDS: [&str; 2] = ["no rate", "no declared rate"];

/// What the reason has if the search ended early, so that lower rates were not tried.
const OUT_OF_TIME: &str = "leaves no time for another";

/// The metric of what sending an example to another process costs.
const TRANSPORT: &str = "transport_s";

const SENDING_RULE: &str = " A model that is a program of its own gets each example through a pipe. What that takes is part of its \
    latency and is not subtracted; it was measured by examples that the program answers at once.";

const ONE_ROUND: &str =
    " Each model was served once, so the table does not show how well its times repeat: `--rounds 3` does.";

/// What a measurement shorter than MLPerf's says of itself.
const SHORTENED: &str = "shortened";

/// Latency of single predictions; `None` if no case has a bound of a percentile, as in runs before there were any.
pub(crate) fn single_predictions(results: &Results) -> Option<ExtraTable> {
    let mut columns = head();
    for title in ["p50", "p50 at most", "p90", "p90 at most", "p99", "p99 at most"] {
        columns.push(TableColumn::new(title, CellKind::Number));
    }
    let sends = results.grid.trials().any(|(_, _, trial)| trial.get(SINGLE, TRANSPORT).is_some());
    columns.extend(sends.then(|| TableColumn::new("of which sending", CellKind::Number)));
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
        cells.extend(sends.then(|| mean(cell, SINGLE, TRANSPORT, "s")));
        cells.extend(["queries", "latency_outliers"].map(|metric| sum(cell, SINGLE, metric)));
        cells.push(measured_for(cell, SINGLE));
        table.push_about(results.subject(setting, label, cell.status), Emphasis::Plain, cells);
    });
    let title = "Latency of single predictions";
    let has_rounds =
        results.grid.trials().any(|(_, _, trial)| trial.values.iter().any(|value| is_of_round(&value.conditions)));
    let rule =
        format!("{SINGLE_RULE}{}{}", if sends { SENDING_RULE } else { "" }, if has_rounds { "" } else { ONE_ROUND });
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
        let highest = HighestRate::of(cell);
        cells.push(match highest {
            HighestRate::Held(rate) => TableCell::Quantity { value: rate, unit: "1/s" },
            HighestRate::NoneHolds => TableCell::Text("none".to_owned()),
            HighestRate::NotMeasured => TableCell::Text("not measured".to_owned()),
        });
        cells.push(mean(cell, SERVER, "capacity_per_s", "1/s"));
        for metric in ["latency_p50_s", "latency_p99_s", "queueing_p99_s", "service_p99_s"] {
            let has_times = matches!(highest, HighestRate::Held(_));
            cells.push(if has_times { mean(cell, SERVER, metric, "s") } else { TableCell::Empty });
        }
        let rates = cell.trials.iter().filter_map(|trial| trial.get(SERVER, "max_rate_per_s"));
        let not_full = rates.into_iter().any(|rate| rate.note.contains(NOT_FULL));
        cells.push(match measured_for(cell, SERVER) {
            TableCell::Text(text) if not_full => TableCell::Text(format!("{text}; {NOT_FULL}")),
            other => other,
        });
        table.push_about(results.subject(setting, label, cell.status), Emphasis::Plain, cells);
        for trial in &cell.trials {
            if let Some(reason) = no_rate(trial) {
                of_run += &format!(" {}: {reason}.", trial.case);
            }
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

/// The sum of a count over the trials.
fn sum(cell: &Cell, phase: &str, metric: &str) -> TableCell {
    let counts = cell.trials.iter().filter_map(|trial| trial.get(phase, metric)).map(|count| count.value);
    counts
        .reduce(|sum, count| sum + count)
        .map_or(TableCell::Empty, |sum| TableCell::Written { value: sum, text: sum.to_string() })
}

/// Why a case has no highest rate.
fn no_rate(trial: &Trial) -> Option<&str> {
    let gap = trial.gaps.iter().find(|gap| gap.phase == SERVER && gap.metric == "max_rate_per_s")?;
    Some(&gap.reason)
}

/// The highest rate of a model that holds the bound.
pub(crate) enum HighestRate {
    /// The mean over the seeds and folds that have one.
    Held(f64),
    /// With one seed or fold at least, none of the rates holds the bound.
    NoneHolds,
    /// It could not be measured, or the search ended before it had tried a rate that is low enough.
    NotMeasured,
}

impl HighestRate {
    pub(crate) fn of(cell: &Cell) -> HighestRate {
        let none_holds = |reason: &str| {
            NONE_HOLDS.iter().any(|beginning| reason.starts_with(beginning)) && !reason.contains(OUT_OF_TIME)
        };
        match cell.mean(SERVER, "max_rate_per_s") {
            _ if cell.trials.iter().filter_map(no_rate).any(none_holds) => HighestRate::NoneHolds,
            Some(rate) => HighestRate::Held(rate.mean),
            None => HighestRate::NotMeasured,
        }
    }
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
