//! The table of what compression made smaller, and of what it did not.

use crate::cell::{Cell, Trial};
use crate::cost_ratio::CostRatio;
use crate::extra_tables::ExtraTable;
use crate::format::score;
use crate::remedy::FEWEST_SEEDS;
use crate::results::Results;
use crate::table::{CellKind, Emphasis, Table, TableCell, TableColumn};

const RULE: &str = "Each row compares a network with the one that it was made of, on the same seeds: the model itself with the same \
    parameters, or `compress` with a share of 0. The change is that of the primary metric, the mean over seeds and folds. A cost is the \
    ratio of the smaller network's to the whole one's, with its 95 % interval over seeds or folds. It fell if the whole interval is below 1, and did \
    not fall if none of it is. Fewer than three seeds tell nothing. The intervals are not adjusted for their number: of forty costs that \
    are the same, one is said to have fallen. Bytes are counted and not measured, so one seed is enough for them. The peak memory is that of the \
    fit: the whole network is trained in it before it is made smaller, so it does not fall if training needs the most. Serving memory \
    is that of a process that only loads the saved model and predicts. Weights of 8 bits are stored so and computed with as 32 bits, so \
    neither latency nor memory can fall by them.";

/// The name of the model that makes others smaller.
const MODEL: &str = "compress";

/// The costs that compression is for: phase, metric and title.
const COSTS: [(&str, &str, &str); 4] = [
    ("case", "model_bytes", "artefact bytes"),
    ("predict-single", "latency_p50_s", "median latency"),
    ("case", "peak_memory_bytes", "peak memory"),
    ("serve", "peak_memory_bytes", "serving memory"),
];

/// The smaller networks beside the whole ones; `None` if the run has no such pair.
pub(crate) fn compressed(results: &Results) -> Option<ExtraTable> {
    let mut columns = vec![
        TableColumn::new("setting", CellKind::Text),
        TableColumn::new("smaller network", CellKind::Name),
        TableColumn::new("made of", CellKind::Text),
        TableColumn::new("metric", CellKind::Text),
        TableColumn::new("score", CellKind::Number),
        TableColumn::new("change", CellKind::Number),
    ];
    columns.extend(COSTS.map(|(.., title)| TableColumn::new(title, CellKind::Text)));
    let mut table = Table::new("What compression made smaller", columns);
    for setting in 0..results.grid.settings.len() {
        let compared = results.setting(setting);
        let primary = compared.primary();
        for (label, cell) in results.grid.row(setting) {
            let Some((base_label, base)) = whole(results, setting, label, cell) else { continue };
            let mean = |cell: &Cell| cell.mean("score", primary.name).map(|mean| mean.mean);
            let (found, before) = (mean(cell), mean(base));
            let number = |value: Option<f64>, signed: bool| {
                value.map_or(TableCell::Empty, |value| {
                    let size = score(primary, value.abs());
                    let sign = if value < 0.0 { "-" } else { "+" };
                    let text = if signed { format!("{sign}{size}") } else { score(primary, value) };
                    TableCell::Written { value, text }
                })
            };
            let mut cells = vec![
                TableCell::Text(compared.title.clone()),
                TableCell::Text(results.grid.labels[label].clone()),
                TableCell::Text(results.grid.labels[base_label].clone()),
                TableCell::Text(format!("{}{}", primary.short_title(), compared.primary_unit())),
                number(found, false),
                number(found.zip(before).map(|(found, before)| found - before), true),
            ];
            cells.extend(COSTS.map(|(phase, metric, _)| TableCell::Text(said(cell, base, phase, metric))));
            table.push_about(results.subject(setting, label, cell.status), Emphasis::Plain, cells);
        }
    }
    let title = "Compression";
    (!table.rows.is_empty()).then(|| ExtraTable {
        id: "compression",
        title,
        rule: RULE.to_owned(),
        of_run: String::new(),
        table,
    })
}

/// A cost of the smaller network as a share of the whole one's, and whether it fell.
fn said(cell: &Cell, base: &Cell, phase: &str, metric: &str) -> String {
    let Some(found) = CostRatio::new(cell, base, phase, metric) else { return "not measured".to_owned() };
    format!("{}: {}", found.text(), verdict(&found, metric == "model_bytes"))
}

/// Whether a cost fell. What is counted has no uncertainty.
fn verdict(found: &CostRatio, is_counted: bool) -> &'static str {
    let (low, high) = match found.interval {
        Some(interval) if is_counted || found.count >= FEWEST_SEEDS => (interval.low, interval.high),
        None if is_counted => (found.ratio, found.ratio),
        _ if found.count < FEWEST_SEEDS => return "too few seeds to tell",
        _ => return "the same on every seed, so its spread is unknown",
    };
    if high < 1.0 {
        "fell"
    } else if low >= 1.0 || (is_counted && found.ratio >= 1.0) {
        "did not fall"
    } else {
        "cannot be told from no change"
    }
}

/// The whole network that a smaller one was made of, in the same setting.
fn whole<'a>(results: &'a Results, setting: usize, label: usize, cell: &Cell) -> Option<(usize, &'a Cell)> {
    let first = cell.trials.first().filter(|trial| trial.model == MODEL)?;
    let of = param(first, "of")?;
    // With other threads, another latency would be compared.
    let is_other = |other: usize, cell: &Cell| {
        other != label && cell.trials.first().is_some_and(|other| other.threads == first.threads)
    };
    let others = || results.grid.row(setting).filter(|(other, cell)| is_other(*other, cell));
    let is_itself = |trial: &Trial| format!("{}({})", trial.model, trial.params.replace(' ', ",")) == of;
    let is_unchanged = |trial: &Trial| {
        let leaves_all = param(trial, "method") != Some("int8") && param(trial, "share") == Some("0");
        trial.model == MODEL && param(trial, "of") == Some(of) && leaves_all && param(trial, "fine_tune") == Some("0")
    };
    let of_first = |cell: &Cell, is: &dyn Fn(&Trial) -> bool| cell.trials.first().is_some_and(is);
    others()
        .find(|(_, cell)| of_first(cell, &is_itself))
        .or_else(|| others().find(|(_, cell)| of_first(cell, &is_unchanged)))
}

/// The value of a parameter.
fn param<'a>(trial: &'a Trial, name: &str) -> Option<&'a str> {
    trial
        .params
        .split(' ')
        .find_map(|pair| pair.split_once('=').filter(|(other, _)| *other == name))
        .map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::Interval;

    fn ratio(ratio: f64, interval: Option<[f64; 2]>, count: usize) -> CostRatio {
        CostRatio { ratio, interval: interval.map(|[low, high]| Interval { low, high }), count }
    }

    #[test]
    fn a_cost_fell_only_if_the_whole_interval_says_so() {
        assert_eq!(verdict(&ratio(0.8, Some([0.7, 0.9]), 3), false), "fell");
        assert_eq!(verdict(&ratio(0.8, Some([0.7, 0.9]), 2), false), "too few seeds to tell");
        assert_eq!(verdict(&ratio(0.9, Some([0.7, 1.1]), 3), false), "cannot be told from no change");
        assert_eq!(verdict(&ratio(1.2, Some([1.0, 1.4]), 3), false), "did not fall");
        assert_eq!(verdict(&ratio(0.5, None, 1), false), "too few seeds to tell");
        assert_eq!(verdict(&ratio(0.5, None, 3), false), "the same on every seed, so its spread is unknown");
        assert_eq!(verdict(&ratio(0.5, None, 1), true), "fell");
        assert_eq!(verdict(&ratio(1.0, None, 1), true), "did not fall");
    }
}
