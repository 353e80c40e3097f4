//! Tables of what a suite asks for beside the ranking. Each is there only if the run has its numbers.

use crate::cell::{Cell, Trial};
use crate::compressed::compressed;
use crate::crossovers::crossover_table;
use crate::device_crossovers::device_table;
use crate::energy_table::energy_tables;
use crate::format::{count, score};
use crate::latency_tables::{single_predictions, under_load};
use crate::metric::Metric;
use crate::noise_table::noise;
use crate::results::Results;
use crate::roofline::roofline;
use crate::served::served;
use crate::table::{CellKind, Emphasis, Table, TableCell, TableColumn};
use crate::time_to_target::time_to_target;

/// A table with its heading and what a reader must know to read it.
pub(crate) struct ExtraTable {
    /// The name by which a page refers to it.
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    /// The rule, in our own words.
    pub(crate) rule: String,
    /// What it says of this run, after the rule. It may have words of a user, so it has no markup.
    pub(crate) of_run: String,
    pub(crate) table: Table,
}

/// The tables that the run has numbers for.
pub(crate) fn extra_tables(results: &Results) -> Vec<ExtraTable> {
    let tables = [
        crossover_table(results),
        device_table(results),
        train_and_test(results),
        time_to_target(results),
        served(results),
        noise(results),
        roofline(results),
        compressed(results),
        single_predictions(results),
        under_load(results),
    ];
    tables.into_iter().chain(energy_tables(results)).flatten().collect()
}

const TRAIN_AND_TEST: &str = "The scored training rows are the first ones that every model learned from, as many as there \
    are test rows and at most 1,000. They have the labels that the models saw, wrong ones included. The gap is the training \
    score minus the test score, the mean over seeds and folds. A large gap says that a model fits its training rows better \
    than new ones. It ranks nothing.";

/// The scores on training rows beside those on test rows.
fn train_and_test(results: &Results) -> Option<ExtraTable> {
    let columns = vec![
        TableColumn::new("setting", CellKind::Text),
        TableColumn::new("model", CellKind::Name),
        TableColumn::new("metric", CellKind::Text),
        TableColumn::new("training score", CellKind::Number),
        TableColumn::new("test score", CellKind::Number),
        TableColumn::new("gap", CellKind::Number),
        TableColumn::new("mean of", CellKind::Number),
    ];
    let mut table = Table::new("Scores on training rows and on test rows", columns);
    for setting in 0..results.grid.settings.len() {
        let compared = results.setting(setting);
        let primary = compared.primary();
        for (label, cell) in results.grid.row(setting) {
            let Some([train, test]) = train_and_test_of(cell, primary) else { continue };
            let what = if compared.folds.is_some() { "fold" } else { "seed" };
            let (train_score, test_score, n) = (mean(&train), mean(&test), train.len());
            let gap = train_score - test_score;
            let cells = vec![
                TableCell::Text(compared.title.clone()),
                TableCell::Text(results.name_in(setting, label)),
                TableCell::Text(format!("{}{}", primary.short_title(), compared.primary_unit())),
                TableCell::Written { value: train_score, text: score(primary, train_score) },
                TableCell::Written { value: test_score, text: score(primary, test_score) },
                TableCell::Written { value: gap, text: signed(primary, gap) },
                TableCell::Written { value: n as f64, text: count(n, what) },
            ];
            table.push_about(results.subject(setting, label, cell.status), Emphasis::Plain, cells);
        }
    }
    let title = "Training and test scores";
    (!table.rows.is_empty()).then_some(ExtraTable {
        id: "train-and-test",
        title,
        rule: TRAIN_AND_TEST.to_owned(),
        of_run: String::new(),
        table,
    })
}

/// The training and the test scores of the trials that have both; `None` if none has.
fn train_and_test_of(cell: &Cell, primary: &Metric) -> Option<[Vec<f64>; 2]> {
    let of = |trial: &Trial, name: &str| trial.get("score", name).map(|value| value.value);
    let train = format!("{}_train", primary.name);
    let both = cell.trials.iter().filter_map(|trial| Some((of(trial, &train)?, of(trial, primary.name)?)));
    let (train, test): (Vec<f64>, Vec<f64>) = both.unzip();
    (!train.is_empty()).then_some([train, test])
}

fn mean(numbers: &[f64]) -> f64 {
    numbers.iter().sum::<f64>() / numbers.len() as f64
}

/// A difference of scores with its sign.
fn signed(metric: &Metric, difference: f64) -> String {
    let size = score(metric, difference.abs());
    if difference < 0.0 { format!("-{size}") } else { format!("+{size}") }
}
