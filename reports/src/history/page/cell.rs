//! The part of a page about one cell: pictures of its series, their segments, and all of their numbers.

use std::collections::BTreeSet;

use maud::{Markup, PreEscaped, html};

use crate::cell::named_source;
use crate::error::ReportError;
use crate::figures::{ShownPoint, ShownSegment, ShownSeries, Style, series_picture};
use crate::format::count;
use crate::history::text::date;
use crate::history::{CellKey, History, Quantity, Rules, RunKind, Series, change_in_percent, shown_value};
use crate::table::{self, CellKind, Emphasis, Table, TableCell, TableColumn};

/// So many runs are in the table of a cell. With all of a year, the pages of a large suite would have a hundred megabytes.
const MOST_RUNS: usize = 90;

pub(super) fn section(
    history: &History,
    rules: &Rules,
    style: &Style,
    (id, name): (&str, &str),
    key: &CellKey,
    series: &[&Series],
) -> Result<Markup, ReportError> {
    let pictures =
        series.iter().map(|one| Ok(series_picture(&shown(history, rules, one), style)?.map(|picture| picture.svg)));
    let pictures = pictures.collect::<Result<Vec<Option<String>>, ReportError>>()?;
    let runs: BTreeSet<usize> = series.iter().flat_map(|one| &one.points).map(|point| point.run).collect();
    Ok(html! {
        section.setting aria-labelledby=(id) {
            h2 id=(id) { (name) }
            (facts(key))
            div.figures {
                @for svg in pictures.iter().flatten() { figure { div.wide { (PreEscaped(svg)) } } }
            }
            h3 { "Segments" }
            (table::html(&segments(history, rules, series)))
            details {
                summary {
                    @if runs.len() > MOST_RUNS { "All numbers of the last " (MOST_RUNS) " of " (runs.len()) " runs" }
                    @else { "All numbers of " (count(runs.len(), "run")) }
                }
                (table::html(&numbers(history, series, &runs)))
            }
        }
    })
}

/// What the name of the cell leaves out.
fn facts(key: &CellKey) -> Markup {
    html! {
        dl {
            dt { "Suite" } dd { (key.suite) }
            dt { "Task" } dd { (key.task) ", version " (key.task_version) }
            dt { "Model" } dd { (key.model) @if !key.params.is_empty() { ": " (key.params) } }
            dt { "Seeds" } dd { (key.trials) }
            dt { "Machine" } dd { (key.machine) @if let Some(threads) = key.threads { ", " (count(threads, "thread")) } }
        }
    }
}

/// What a person calls a quantity: `fit: fit time (stopwatch)`.
fn named(quantity: &Quantity) -> String {
    let title = quantity.rules().map_or(quantity.metric.as_str(), |metric| metric.title);
    let conditions = if quantity.conditions.is_empty() { String::new() } else { format!(", {}", quantity.conditions) };
    format!("{}: {title}{conditions} ({})", quantity.phase, named_source(&quantity.source))
}

fn shown(history: &History, rules: &Rules, series: &Series) -> ShownSeries {
    let quantity = &series.key.quantity;
    let points = series.points.iter().map(|point| {
        let run = &history.runs[point.run];
        let of_run = |again: usize| history.runs[again].of.as_deref() == Some(run.run.as_str());
        ShownPoint {
            value: point.value,
            again: series.again.iter().filter(|again| of_run(again.run)).map(|again| again.value).collect(),
            date: date(run.at()).to_owned(),
            words: format!("{}, commit {}\n{}", date(run.at()), run.commit, shown_value(quantity, point.value)),
        }
    });
    let segments = series.segments(rules).into_iter().map(|segment| ShownSegment {
        begins_epoch: segment.why.is_some(),
        points: segment.points,
        level: segment.level,
    });
    ShownSeries {
        name: format!("series-{}", series.id),
        title: named(quantity),
        quantity: quantity.rules().map_or(quantity.metric.as_str(), |metric| metric.title).to_owned(),
        unit: series.unit(),
        points: points.collect(),
        segments: segments.collect(),
    }
}

fn segments(history: &History, rules: &Rules, series: &[&Series]) -> Table {
    let columns = vec![
        TableColumn::new("number", CellKind::Name),
        TableColumn::new("series", CellKind::Code),
        TableColumn::new("from", CellKind::Text),
        TableColumn::new("to", CellKind::Text),
        TableColumn::new("since commit", CellKind::Code),
        TableColumn::new("points", CellKind::Number),
        TableColumn::new("level", CellKind::Number),
        TableColumn::new("change", CellKind::Number),
        TableColumn::new("epoch", CellKind::Text),
    ];
    let mut table = Table::new("Segments", columns);
    let text = |text: String| TableCell::Text(text);
    for one in series {
        for segment in one.segments(rules) {
            let run = |point: usize| &history.runs[one.points[point].run];
            let (first, last) = (run(segment.points.start), run(segment.points.end - 1));
            let quantity = &one.key.quantity;
            table.push(
                Emphasis::Plain,
                vec![
                    text(named(quantity)),
                    text(one.id.to_string()),
                    text(date(first.at()).to_owned()),
                    text(date(last.at()).to_owned()),
                    text(first.commit.clone()),
                    TableCell::Written { value: segment.points.len() as f64, text: segment.points.len().to_string() },
                    segment.level.map_or(TableCell::Empty, |level| TableCell::Written {
                        value: level,
                        text: shown_value(quantity, level),
                    }),
                    segment.change.map_or(TableCell::Empty, |change| TableCell::Written {
                        value: change,
                        text: change_in_percent(change),
                    }),
                    text(segment.why.map_or_else(String::new, |why| format!("accepted: {why}"))),
                ],
            );
        }
    }
    table
}

/// A row for each run, the latest first and at most [`MOST_RUNS`], with its commit and the number of each series.
fn numbers(history: &History, series: &[&Series], runs: &BTreeSet<usize>) -> Table {
    let mut columns = vec![
        TableColumn::new("date", CellKind::Name),
        TableColumn::new("commit", CellKind::Code),
        TableColumn::new("run", CellKind::Code),
    ];
    columns.extend(series.iter().map(|one| TableColumn::new(named(&one.key.quantity), CellKind::Number)));
    let mut table = Table::new("All numbers", columns);
    for index in runs.iter().rev().take(MOST_RUNS) {
        let run = &history.runs[*index];
        let kind = if run.kind == RunKind::Backfill { " (backfill)" } else { "" };
        let mut cells = vec![
            TableCell::Text(run.at().to_owned()),
            TableCell::Text(run.commit.clone()),
            TableCell::Text(format!("{}{kind}", run.run)),
        ];
        cells.extend(series.iter().map(|one| {
            // The points of a series are in the order of runs.
            let found = one.points.binary_search_by_key(index, |point| point.run);
            found.map_or(TableCell::Empty, |at| {
                let number = one.points[at].value;
                TableCell::Written { value: number, text: shown_value(&one.key.quantity, number) }
            })
        }));
        table.push(Emphasis::Plain, cells);
    }
    table
}
