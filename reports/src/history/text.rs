//! A history and a night on the terminal.

use std::collections::{BTreeMap, BTreeSet};

use super::change_points::{ChangePoint, change_points};
use super::night::{Change, Night, NightVerdict, Numbers, SeriesVerdict};
use super::rules::Rules;
use super::series::Series;
use super::{History, MachineClass, Quantity};
use crate::format::{count, p_value, percent, score, si, significant};
use crate::table::{CellKind, Emphasis, Table, TableCell, TableColumn, terminal};

impl Series {
    /// Its change points, each epoch by itself. Scores have none, because they are not judged as a series. Each is at an index of
    /// [`Series::points`].
    pub fn change_points(&self, rules: &Rules) -> Vec<ChangePoint> {
        if self.key.quantity.is_quality() || self.key.quantity.is_estimate() {
            return Vec::new();
        }
        let floors = rules.floors(self.unit());
        let mut found = Vec::new();
        for (index, epoch) in self.epochs.iter().enumerate() {
            let end = self.epochs.get(index + 1).map_or(self.points.len(), |next| next.first);
            let values: Vec<f64> = self.points[epoch.first.min(end)..end].iter().map(|point| point.value).collect();
            let changes = change_points(&values, &floors);
            found.extend(changes.into_iter().map(|change| ChangePoint { at: epoch.first + change.at, ..change }));
        }
        found
    }
}

/// The series of a history, those of them that `shown` says, with their change points.
pub fn history_text(history: &History, rules: &Rules, shown: impl Fn(&Series) -> bool) -> String {
    let series: Vec<&Series> = history.series.iter().filter(|series| shown(series)).collect();
    let machines: BTreeSet<&MachineClass> = series.iter().map(|series| &series.key.cell.machine).collect();
    let mut columns = vec![
        TableColumn::new("series", CellKind::Code),
        TableColumn::new("cell", CellKind::Name),
        TableColumn::new("number", CellKind::Text),
        TableColumn::new("points", CellKind::Number),
        TableColumn::new("last", CellKind::Number),
        TableColumn::new("changes", CellKind::Text),
    ];
    if machines.len() > 1 {
        columns.insert(2, TableColumn::new("machine", CellKind::Text));
    }
    let mut table = Table::new("Series", columns);
    for series in &series {
        let last = series
            .points
            .last()
            .map_or(TableCell::Empty, |point| TableCell::Text(shown_value(&series.key.quantity, point.value)));
        let text = |text: String| TableCell::Text(text);
        let mut row = vec![
            text(series.id.to_string()),
            text(series.key.cell.to_string()),
            text(series.key.quantity.to_string()),
            text(series.points.len().to_string()),
            last,
            text(changes(history, series, rules)),
        ];
        if machines.len() > 1 {
            row.insert(2, text(series.key.cell.machine.to_string()));
        }
        table.push(Emphasis::Plain, row);
    }
    let mut text = format!(
        "{}: {}, {}\n",
        history.project,
        count(history.runs.len(), "run"),
        if series.len() == history.series.len() {
            format!("{} series", series.len())
        } else {
            format!("{} of {} series", series.len(), history.series.len())
        }
    );
    if !series.is_empty() {
        text += &format!("\n{}\n", terminal(&table));
    }
    if machines.len() > 1 {
        text +=
            &format!("note: these are series of {} classes of machines, which are never compared\n", machines.len());
    }
    for remark in &history.remarks {
        text += &format!("note: {remark}\n");
    }
    text
}

/// `+7.1 % from 2026-03-01 on (abc1234); accepted 2026-03-02: new tokenizer`.
fn changes(history: &History, series: &Series, rules: &Rules) -> String {
    let mut parts: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    let place = |index: usize| {
        let run = &history.runs[series.points[index].run];
        format!("{} ({})", date(run.at()), run.commit)
    };
    for change in series.change_points(rules) {
        let words = format!("{} from {} on", change_in_percent(change.after / change.before - 1.0), place(change.at));
        parts.entry(change.at).or_default().push(words);
    }
    for epoch in &series.epochs {
        let Some(why) = &epoch.why else { continue };
        let from = if epoch.first < series.points.len() { place(epoch.first) } else { "the next point".to_owned() };
        parts.entry(epoch.first).or_default().push(format!("accepted from {from} on: {why}"));
    }
    parts.into_values().flatten().collect::<Vec<_>>().join("; ")
}

/// What is said of a night: every series that is not unchanged, and how many there are of each verdict.
pub fn night_text(history: &History, night: &Night) -> String {
    let run = &history.runs[night.run];
    let mut text = format!("{} ({}, commit {})\n", run.run, run.at(), run.commit);
    let reported = reported(night);
    if !reported.is_empty() {
        text += &format!("\n{}", terminal(&reported_table(&reported)));
    }
    text += &format!("\n{}\n", tally(night));
    for (reason, of) in &not_judged(night) {
        let first = format!("{} ({})", of[0].key, of[0].id);
        let more = if of.len() == 1 { String::new() } else { format!(" and {} more", of.len() - 1) };
        text += &format!("not judged: {first}{more}: {reason}\n");
    }
    for remark in night.remarks.iter().chain(&history.remarks) {
        text += &format!("note: {remark}\n");
    }
    text
}

/// The series of which something is reported: neither unchanged nor not judged.
pub(super) fn reported(night: &Night) -> Vec<&SeriesVerdict> {
    let is_reported =
        |one: &&SeriesVerdict| !matches!(one.verdict, NightVerdict::Unchanged | NightVerdict::NotJudged(_));
    night.verdicts.iter().filter(is_reported).collect()
}

/// The series that are not judged, by their reasons.
pub(super) fn not_judged(night: &Night) -> BTreeMap<String, Vec<&SeriesVerdict>> {
    let mut reasons: BTreeMap<String, Vec<&SeriesVerdict>> = BTreeMap::new();
    for one in &night.verdicts {
        if let NightVerdict::NotJudged(reason) = &one.verdict {
            reasons.entry(reason.to_string()).or_default().push(one);
        }
    }
    reasons
}

/// The table of what is reported.
pub(super) fn reported_table(reported: &[&SeriesVerdict]) -> Table {
    let columns = vec![
        TableColumn::new("verdict", CellKind::Text),
        TableColumn::new("cell", CellKind::Name),
        TableColumn::new("number", CellKind::Text),
        TableColumn::new("baseline", CellKind::Number),
        TableColumn::new("this night", CellKind::Number),
        TableColumn::new("change", CellKind::Number),
        TableColumn::new("p", CellKind::Number),
        TableColumn::new("again", CellKind::Text),
        TableColumn::new("series", CellKind::Code),
    ];
    let mut table = Table::new("What changed", columns);
    for one in reported {
        let quantity = &one.key.quantity;
        let text = TableCell::Text;
        let numbers = one.numbers.as_ref();
        let shown = |number: Option<f64>| number.map_or(TableCell::Empty, |number| text(shown_value(quantity, number)));
        table.push(
            Emphasis::Plain,
            vec![
                text(one.verdict.words()),
                text(one.key.cell.to_string()),
                text(quantity.to_string()),
                shown(numbers.and_then(|numbers| numbers.baseline)),
                shown(numbers.map(|numbers| numbers.tonight)),
                numbers.map_or(TableCell::Empty, |numbers| text(change(quantity, numbers))),
                numbers.and_then(|numbers| numbers.p).map_or(TableCell::Empty, |p| text(p_value(p))),
                text(numbers.map_or_else(String::new, |numbers| {
                    numbers.again.iter().map(|again| shown_value(quantity, *again)).collect::<Vec<_>>().join(", ")
                })),
                text(one.id.to_string()),
            ],
        );
    }
    table
}

/// `12 series: 1 regression confirmed, 8 unchanged, 3 not judged`.
pub(super) fn tally(night: &Night) -> String {
    let mut counts: BTreeMap<usize, (String, usize)> = BTreeMap::new();
    for one in &night.verdicts {
        let entry = counts.entry(rank(&one.verdict)).or_insert_with(|| (one.verdict.words(), 0));
        entry.1 += 1;
    }
    let parts: Vec<String> = counts.into_values().map(|(words, n)| counted(n, &words)).collect();
    if parts.is_empty() {
        return "0 series: this run has no number that a history keeps".to_owned();
    }
    format!("{} series: {}", night.verdicts.len(), parts.join(", "))
}

/// `1 regression confirmed`, `2 regressions confirmed`, `2 unchanged`.
fn counted(n: usize, words: &str) -> String {
    match words.split_once(' ') {
        Some((what @ ("regression" | "improvement"), rest)) => format!("{} {rest}", count(n, what)),
        _ => format!("{n} {words}"),
    }
}

/// The order in which verdicts are counted, the gravest first.
fn rank(verdict: &NightVerdict) -> usize {
    match verdict {
        NightVerdict::Confirmed(Change::Regression) => 0,
        NightVerdict::Suspected(Change::Regression) => 1,
        NightVerdict::Confirmed(Change::Improvement) => 2,
        NightVerdict::Suspected(Change::Improvement) => 3,
        NightVerdict::Cleared(Change::Regression) => 4,
        NightVerdict::Cleared(Change::Improvement) => 5,
        NightVerdict::Unchanged => 6,
        NightVerdict::NotJudged(_) => 7,
    }
}

/// A number of a series with its unit: `12.3 ms`, and a score with three decimals.
pub fn shown_value(quantity: &Quantity, number: f64) -> String {
    match quantity.rules() {
        Some(metric) if metric.score.is_some() => score(metric, number),
        Some(metric) => si(number, metric.unit),
        None => significant(number, 3),
    }
}

/// The change that a verdict is about: of a cost in percent, of a score as a difference.
pub(super) fn change(quantity: &Quantity, numbers: &Numbers) -> String {
    let Some(change) = numbers.change else { return String::new() };
    match quantity.rules() {
        Some(metric) if quantity.is_quality() => {
            format!("{}{}", if change > 0.0 { "+" } else { "" }, score(metric, change))
        }
        _ => change_in_percent(change),
    }
}

/// `+7.1 %`.
pub fn change_in_percent(share: f64) -> String {
    let rounded = (share * 1000.0).round() / 1000.0;
    format!("{}{} %", if rounded > 0.0 { "+" } else { "" }, percent(rounded))
}

/// The day of a time in RFC 3339.
pub(super) fn date(time: &str) -> &str {
    time.get(..10).unwrap_or(time)
}
