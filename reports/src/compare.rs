//! The same cases in two runs: what changed.

use crate::cell::Cell;
use crate::comparison::ALPHA;
use crate::contrast::Contrast;
use crate::cost_ratio::CostRatio;
use crate::error::ReportError;
use crate::estimate::Scored;
use crate::format::{count, listed, si, significant};
use crate::metric::metric;
use crate::results::Results;
use crate::setting::Setting;
use crate::statistics::holm;
use crate::table::{CellKind, Emphasis, Table, TableCell, TableColumn, terminal};

/// One model of one setting in both runs.
struct Both<'a> {
    title: String,
    label: String,
    settings: (&'a Setting, &'a Setting),
    cells: (&'a Cell, &'a Cell),
}

/// The costs that are compared: phase, metric and column.
const COSTS: [(&str, &str, &str); 4] = [
    ("fit", "fit_s", "fit"),
    ("predict-single", "latency_p50_s", "p50"),
    ("predict-batch", "throughput", "predictions/s"),
    ("predict-batch", "energy_j", "J/prediction"),
];

/// The changes of scores and costs from `before` to `after`, for a terminal.
///
/// # Errors
/// If the runs have no case in common.
pub fn compare_text(before: &Results, after: &Results) -> Result<String, ReportError> {
    let (both, mut remarks) = pairs(before, after);
    if both.is_empty() {
        return Err(ReportError::NothingInCommon { before: before.info.run.clone(), after: after.info.run.clone() });
    }
    let contrasts: Vec<Option<Contrast<'_>>> = both
        .iter()
        .map(|pair| {
            let old = Scored::of(pair.settings.0, pair.cells.0, &before.answers);
            let new = Scored::of(pair.settings.1, pair.cells.1, &after.answers);
            Contrast::difference(&new, &old)
        })
        .collect();
    let p_values: Vec<f64> = contrasts.iter().flatten().filter_map(|contrast| contrast.uncertainty().p).collect();
    let mut adjusted = holm(&p_values).into_iter();
    let columns = vec![
        TableColumn::new("setting", CellKind::Name),
        TableColumn::new("model", CellKind::Text),
        TableColumn::new("metric", CellKind::Text),
        TableColumn::new("change", CellKind::Estimate),
        TableColumn::new("p", CellKind::Number),
        TableColumn::new("seeds", CellKind::Text),
        TableColumn::new("says", CellKind::Text),
    ];
    let mut scores = Table::new("Changes of scores", columns);
    let mut unscored = Vec::new();
    for (pair, contrast) in both.iter().zip(&contrasts) {
        let Some(contrast) = contrast else {
            let statuses = format!("{} and {}", pair.cells.0.status, pair.cells.1.status);
            unscored.push(format!("{} on {} ({statuses})", pair.label, pair.title));
            continue;
        };
        let (metric, found) = (pair.settings.0.primary(), contrast.uncertainty());
        let p = found.p.and_then(|_| adjusted.next());
        let is_better = metric.better.goodness(contrast.value()) > 0.0;
        let says = match p {
            Some(p) if p < ALPHA => {
                if is_better {
                    "better"
                } else {
                    "worse"
                }
            }
            Some(_) if contrast.is_zero() => "same",
            Some(_) => "no difference shown",
            None => "not tested",
        };
        scores.push(
            Emphasis::Plain,
            vec![
                TableCell::Text(pair.title.clone()),
                TableCell::Text(pair.label.clone()),
                TableCell::Text(metric.short_title().to_owned()),
                TableCell::Estimate { metric, value: contrast.value(), interval: found.interval },
                p.map_or(TableCell::Empty, TableCell::P),
                TableCell::Text(found.seeds.to_string()),
                TableCell::Text(says.to_owned()),
            ],
        );
    }
    if !unscored.is_empty() {
        remarks.push(format!(
            "{} with no seed that both runs scored: {}",
            count(unscored.len(), "model"),
            listed(&unscored)
        ));
    }
    let mut text = format!("{} -> {}\n\n{}\n", before.info.run, after.info.run, terminal(&scores));
    let is_one_machine = both.iter().all(|pair| pair.settings.0.machine == pair.settings.1.machine);
    if is_one_machine {
        text += &format!("{}\n", terminal(&costs(&both)));
    } else {
        let machines = (&both[0].settings.0.machine, &both[0].settings.1.machine);
        remarks.push(format!(
            "the runs are of two machines ({} and {}), so scores are compared and costs are not",
            machines.0, machines.1
        ));
    }
    if contrasts.iter().flatten().any(|contrast| contrast.uncertainty().seeds == 1) {
        remarks.push("with one seed, the tests speak of other test examples only".to_owned());
    }
    let is_one = before == after;
    for run in [before, after].into_iter().take(if is_one { 1 } else { 2 }) {
        remarks.extend(run.remarks.iter().map(|remark| format!("run {}: {remark}", run.info.run)));
    }
    if is_one {
        remarks.push("this is the same run twice".to_owned());
    }
    for remark in remarks {
        text += &format!("note: {remark}\n");
    }
    Ok(text)
}

/// The cells that both runs have, and what a reader must know of the others.
fn pairs<'a>(before: &'a Results, after: &'a Results) -> (Vec<Both<'a>>, Vec<String>) {
    let key = |setting: &Setting| {
        let Setting { task, train_size, label_noise, folds, device, .. } = setting;
        (task.name.clone(), *train_size, label_noise.to_bits(), *folds, device.clone())
    };
    let mut new: Vec<(&Setting, String, &Cell)> = Vec::new();
    for (index, setting) in after.grid.settings.iter().enumerate() {
        new.extend(after.grid.row(index).map(|(label, cell)| (setting, after.grid.labels[label].clone(), cell)));
    }
    let (mut both, mut only_before, mut changed) = (Vec::new(), Vec::new(), Vec::new());
    for (index, setting) in before.grid.settings.iter().enumerate() {
        for (label, cell) in before.grid.row(index) {
            let label = before.grid.labels[label].clone();
            let name = format!("{label} on {}", setting.title);
            let is_same = |(other, other_label, _): &&(&Setting, String, &Cell)| {
                *other_label == label && key(other) == key(setting)
            };
            // A run can have the same case on two machines.
            let same_machine = new.iter().position(|other| is_same(&other) && other.0.machine == setting.machine);
            let Some(at) = same_machine.or_else(|| new.iter().position(|other| is_same(&other))) else {
                only_before.push(name);
                continue;
            };
            let (other, _, other_cell) = new.remove(at);
            if setting.task.version != other.task.version || setting.task.primary != other.task.primary {
                changed.push(format!("{name} (another version of the task, so it is left out)"));
                continue;
            }
            let first =
                |cell: &Cell| cell.trials.first().map(|trial| (trial.params.clone(), trial.model_version.clone()));
            if first(cell) != first(other_cell) {
                changed.push(format!("{name} (other parameters or another version of the model)"));
            }
            both.push(Both {
                title: setting.title.clone(),
                label,
                settings: (setting, other),
                cells: (cell, other_cell),
            });
        }
    }
    let only_after: Vec<String> =
        new.into_iter().map(|(setting, label, _)| format!("{label} on {}", setting.title)).collect();
    let mut remarks = Vec::new();
    for (names, what) in
        [(&only_before, "only in the first run"), (&only_after, "only in the second run"), (&changed, "not the same")]
    {
        if !names.is_empty() {
            remarks.push(format!("{} {what}: {}", count(names.len(), "model"), listed(names)));
        }
    }
    (both, remarks)
}

/// The ratios of costs, after to before, by the logarithms over the seeds that both have.
fn costs(both: &[Both<'_>]) -> Table {
    // Most machines measure no joules.
    let is_measured =
        |(phase, name, _): &&(&str, &str, &str)| both.iter().any(|pair| ratio(pair.cells, phase, name).is_some());
    let measured: Vec<&(&str, &str, &str)> = COSTS.iter().filter(is_measured).collect();
    let mut columns = vec![TableColumn::new("setting", CellKind::Name), TableColumn::new("model", CellKind::Text)];
    columns.extend(measured.iter().map(|(.., title)| TableColumn::new(*title, CellKind::Text)));
    let mut table = Table::new("Changes of costs", columns);
    for pair in both {
        let mut cells = vec![TableCell::Text(pair.title.clone()), TableCell::Text(pair.label.clone())];
        for (phase, name, _) in &measured {
            cells.push(ratio(pair.cells, phase, name).map_or(TableCell::Empty, TableCell::Text));
        }
        table.push(Emphasis::Plain, cells);
    }
    table
}

/// `41.2 ms × 0.980 [0.950, 1.010]`: the cost before, and by how much it changed. `None` if a run does not have it, or only an estimate.
fn ratio((old, new): (&Cell, &Cell), phase: &str, name: &str) -> Option<String> {
    let changed = CostRatio::new(new, old, phase, name)?;
    let before = old.mean(phase, name)?.mean;
    // A throughput has no prefix, as in the other tables.
    let before = match metric(name).map_or("", |metric| metric.unit) {
        unit @ ("s" | "J") => si(before, unit),
        _ => significant(before, 3),
    };
    Some(format!("{before} {}", changed.text()))
}
