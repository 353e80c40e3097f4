//! Published numbers beside ours, as a table.

use crate::format::{estimate, score};
use crate::metric::metric;
use crate::results::Results;
use crate::table::{CellKind, Emphasis, Table, TableCell, TableColumn, terminal};

use super::judge::{Met, Reproduction, meet};
use super::registry::anchors;

/// How the table is read.
pub(crate) const HOW_TO_READ: &str = "A published number is reproduced if ours differs from it by less than the tolerance with a \
    probability above 95 %, and not reproduced if the 95 % interval of the difference lies outside the tolerance. The interval is over \
    our seeds, our test rows and the published test rows. A score that is much better than the published one may be due to test rows \
    among the training rows.";

/// The published numbers that a run meets; `None` if it meets none.
pub(crate) fn anchors_met(results: &Results) -> Option<Table> {
    let met = meet(&anchors(), &[results]);
    (!met.is_empty()).then(|| table(&met))
}

/// The published numbers for a terminal; empty if there are none.
pub fn anchors_text(met: &[Met]) -> String {
    if met.is_empty() {
        return String::new();
    }
    format!("Published numbers beside ours:\n\n{}", terminal(&table(met).without_details()))
}

fn table(met: &[Met]) -> Table {
    let columns = vec![
        TableColumn::new("anchor", CellKind::Name),
        TableColumn::new("published", CellKind::Text),
        TableColumn::new("model", CellKind::Text),
        TableColumn::new("verdict", CellKind::Status),
        TableColumn::new("value", CellKind::Number),
        TableColumn::new("ours", CellKind::Number),
        TableColumn::new("difference [95 %]", CellKind::Text),
        TableColumn::new("tolerance", CellKind::Number),
        TableColumn::new("seeds", CellKind::Text),
        TableColumn::new("to decide it", CellKind::Text),
        TableColumn::new("source", CellKind::Text).detail(),
        TableColumn::new("run", CellKind::Text).detail(),
    ];
    let mut table = Table::new("Published numbers and ours", columns);
    for met in met {
        let emphasis = if met.score.is_none() { Emphasis::Faint } else { Emphasis::Plain };
        table.push(emphasis, row(met));
    }
    table
}

fn row(met: &Met) -> Vec<TableCell> {
    let metric = metric(&met.anchor.metric).expect("a test looks up the metric of every anchor");
    let number = |value: f64| TableCell::Written { value, text: score(metric, value) };
    let difference = met.difference.map_or(String::new(), |difference| estimate(metric, difference, met.interval));
    let seeds = if met.seeds == 0 { TableCell::Empty } else { TableCell::Text(met.seeds.to_string()) };
    vec![
        TableCell::Text(met.anchor.id.clone()),
        TableCell::Text(met.anchor.what.clone()),
        TableCell::Text(format!("{} on {}", met.label, met.setting)),
        TableCell::Text(verdict(met)),
        number(met.anchor.value),
        met.score.map_or(TableCell::Empty, number),
        TableCell::Text(difference),
        met.tolerance.map_or(TableCell::Empty, number),
        seeds,
        TableCell::Text(met.remedy.clone()),
        TableCell::Text(met.anchor.source.clone()),
        TableCell::Text(met.run.clone()),
    ]
}

/// `not reproduced, suspiciously good`.
fn verdict(met: &Met) -> String {
    let suspicion = if met.is_suspiciously_good { ", suspiciously good" } else { "" };
    format!("{}{suspicion}", Reproduction::name(met.reproduction))
}
