//! From a run's directory to the lines of a history.

use std::collections::BTreeMap;

use super::key::{MachineClass, Quantity};
use super::line::{CellLine, RunKind, RunLine};
use super::{file, quality};
use crate::cell::{Cell, Trial};
use crate::format::listed;
use crate::results::{Results, measured};
use crate::run_info::CaseInfo;
use crate::setting::Setting;

/// The costs that a history keeps, by phase. Their metrics say which direction is better. Other numbers are settings, counts, or what the
/// machine was like, and the run has them.
pub(super) const COSTS: &[(&str, &str)] = &[
    ("search", "fit_s"),
    ("search", "energy_j"),
    ("fit", "fit_s"),
    ("fit", "time_to_target_s"),
    ("fit", "energy_j"),
    ("fit", "energy_to_target_j"),
    ("serve", "load_s"),
    ("serve", "load_cold_s"),
    ("serve", "first_prediction_s"),
    ("serve", "peak_memory_bytes"),
    ("predict-single", "latency_p50_s"),
    ("predict-single", "latency_p90_s"),
    ("predict-single", "latency_p99_s"),
    ("predict-single", "energy_j"),
    ("predict-batch", "throughput"),
    ("predict-batch", "energy_j"),
    ("server", "max_rate_per_s"),
    ("server", "capacity_per_s"),
    ("server", "latency_p99_s"),
    ("case", "peak_memory_bytes"),
    ("case", "model_bytes"),
];

/// Why a run is added, and what it does not know of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Why.
    pub kind: RunKind,
    /// For [`RunKind::Again`], the night.
    pub of: Option<String>,
    /// The commit that was measured, if it is not the one that the program was built from.
    pub commit: Option<String>,
    /// For [`RunKind::Backfill`], the date of the commit, RFC 3339, UTC.
    pub committed: Option<String>,
}

impl Origin {
    /// A night, of the commit that the program was built from.
    pub fn night() -> Origin {
        Origin { kind: RunKind::Night, of: None, commit: None, committed: None }
    }
}

/// A run as it is added to a history.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRun {
    pub(super) run: RunLine,
    pub(super) cells: Vec<CellLine>,
    /// What the history does not keep of the run, in sentences.
    pub remarks: Vec<String>,
}

impl NewRun {
    /// The lines of a run. Its scores are tested against those of `reference`, which another run with the same rows and seeds left.
    pub fn of(results: &Results, origin: Origin, reference: Option<&Results>) -> NewRun {
        let info = &results.info;
        let mut made = NewRun {
            run: RunLine {
                run: info.run.clone(),
                kind: origin.kind,
                of: origin.of,
                started: info.started.clone(),
                committed: origin.committed,
                commit: origin.commit.unwrap_or_else(|| info.commit.clone()),
                suite: info.suite.clone(),
                version: info.version.clone(),
                machines: Vec::new(),
                cells: 0,
                digest: String::new(),
            },
            cells: Vec::new(),
            remarks: Vec::new(),
        };
        for group in groups(results) {
            made.add(results, &group, reference);
        }
        made.remark_on_unfinished(results);
        made.run.cells = made.cells.len();
        let lines: Vec<String> =
            made.cells.iter().map(|cell| file::encode(&super::Line::Cell(Box::new(cell.clone())))).collect();
        made.run.digest = file::digest(&made.run, lines.iter().map(String::as_str));
        made
    }

    /// The lines as the file has them.
    pub(super) fn lines(&self) -> String {
        let mut text = file::encode(&super::Line::Run(self.run.clone()));
        for cell in &self.cells {
            text += &file::encode(&super::Line::Cell(Box::new(cell.clone())));
        }
        text
    }

    fn add(&mut self, results: &Results, group: &Group<'_>, reference: Option<&Results>) {
        let Some(first) = group.trials.first() else { return };
        let setting = group.setting;
        let Some(device) = results.info.devices.iter().find(|device| device.fingerprint == setting.machine) else {
            self.remarks.push(format!(
                "{} on {} was measured on machine {}, which run.json does not describe. The history does not keep it.",
                group.label, setting.title, setting.machine
            ));
            return;
        };
        let class = MachineClass::of(&results.info.machine, device);
        let machine = self.run.machines.iter().position(|known| *known == class).unwrap_or_else(|| {
            self.run.machines.push(class);
            self.run.machines.len() - 1
        });
        let failed = group.trials.iter().find(|trial| !measured(trial.status));
        let is_whole = group.trials.len() == group.planned.len();
        let (status, note) = match failed {
            Some(trial) => (trial.status, trial.note.clone()),
            None if is_whole => (first.status, String::new()),
            None => (
                first.status,
                format!("{} of {} cases were measured on this machine", group.trials.len(), group.planned.len()),
            ),
        };
        let numbers = if failed.is_none() && is_whole { numbers(setting, &group.trials) } else { BTreeMap::new() };
        let is_searched = group.trials.iter().any(|trial| !trial.search.is_empty());
        let quality = (!numbers.is_empty()).then(|| quality::against(results, group.label, setting, reference));
        self.cells.push(CellLine {
            task: setting.task.name.clone(),
            task_version: setting.task.version,
            label: group.label.to_owned(),
            model: first.model.clone(),
            model_version: first.model_version.clone(),
            params: if is_searched { "searched".to_owned() } else { first.params.clone() },
            train_size: setting.train_size,
            label_noise: setting.label_noise,
            folds: setting.folds,
            trials: trials_of(&group.planned),
            device: setting.device.clone(),
            threads: first.threads,
            machine,
            status,
            note: note.lines().next().unwrap_or_default().to_owned(),
            numbers,
            quality,
        });
    }

    fn remark_on_unfinished(&mut self, results: &Results) {
        let unfinished = &results.grid.unfinished;
        if !unfinished.is_empty() {
            self.remarks.push(format!(
                "The run is not complete: {} did not end. To end it: bakeoff resume on its folder.",
                listed(unfinished)
            ));
        }
    }
}

/// A model in a setting, with the trials that were measured on one machine and all that are planned.
struct Group<'a> {
    setting: &'a Setting,
    label: &'a str,
    trials: Vec<&'a Trial>,
    planned: Vec<&'a CaseInfo>,
}

fn groups(results: &Results) -> Vec<Group<'_>> {
    let grid = &results.grid;
    let mut groups = Vec::new();
    for (index, setting) in grid.settings.iter().enumerate() {
        for (label, cell) in grid.row(index) {
            let label = grid.labels[label].as_str();
            let belongs = |case: &&CaseInfo| {
                case.trial.is_none()
                    && case.task == setting.task.name
                    && case.label == label
                    && case.train_size == setting.train_size
                    && case.label_noise.to_bits() == setting.label_noise.to_bits()
                    && case.folds == setting.folds
                    && case.device == setting.device
            };
            if is_unsupported(cell) {
                continue;
            }
            let planned = results.info.cases.iter().filter(belongs).collect();
            groups.push(Group { setting, label, trials: cell.trials.iter().collect(), planned });
        }
    }
    groups
}

/// Whether no trial could ever give a number.
fn is_unsupported(cell: &Cell) -> bool {
    cell.trials.iter().all(|trial| trial.status == crate::record::Status::Unsupported)
}

/// As in [`super::CellKey::trials`].
fn trials_of(planned: &[&CaseInfo]) -> String {
    let name = |case: &&CaseInfo| match case.repeat.zip(case.fold) {
        None => format!("s{}", case.seed),
        Some((repeat, fold)) => format!("s{}.r{repeat}f{fold}", case.seed),
    };
    planned.iter().map(name).collect::<Vec<_>>().join(" ")
}

/// The means of the numbers that a history keeps. A number that a trial lacks is left out: the mean over the others is another number.
fn numbers(setting: &Setting, trials: &[&Trial]) -> BTreeMap<Quantity, f64> {
    let primary = setting.primary();
    let beside = setting.score().beside;
    let scores = std::iter::once(primary.name).chain(beside.iter().copied()).map(|metric| ("score", metric));
    let mut sums: BTreeMap<Quantity, (usize, f64)> = BTreeMap::new();
    for (phase, metric) in COSTS.iter().copied().chain(scores) {
        for value in trials.iter().flat_map(|trial| trial.all(phase, metric)) {
            let quantity = Quantity {
                phase: phase.to_owned(),
                metric: metric.to_owned(),
                conditions: String::new(),
                source: value.source.clone(),
            };
            let sum = sums.entry(quantity).or_insert((0, 0.0));
            *sum = (sum.0 + 1, sum.1 + value.value);
        }
    }
    let n = trials.len();
    let whole = sums.into_iter().filter(|(_, (count, sum))| *count == n && sum.is_finite());
    whole.map(|(quantity, (_, sum))| (quantity, sum / n as f64)).collect()
}
