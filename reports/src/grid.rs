//! The pivot from rows to comparisons: how each model did on each task.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use crate::cell::{Cell, Contradiction, Gap, SearchTrial, Trial, Value, is_of_round, measured_first};
use crate::error::ReportError;
use crate::metric::metric;
use crate::record::{Record, Status};
use crate::run_info::{CaseInfo, RunInfo, TaskInfo};
use crate::setting::{Setting, name_settings};

/// All finished cases of a run, by setting and model. Search trials are part of the case that they are for.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    /// The settings in the order of the plan.
    pub settings: Vec<Setting>,
    /// The models' labels, in the order of the plan.
    pub labels: Vec<String>,
    /// Planned cases without a closing row: they have not run yet, or were interrupted.
    pub unfinished: Vec<String>,
    cells: HashMap<(usize, usize), Cell>,
}

impl Grid {
    /// The cell of a setting and a label, by their indices. `None` if none of its cases has finished.
    pub fn cell(&self, setting: usize, label: usize) -> Option<&Cell> {
        self.cells.get(&(setting, label))
    }

    /// The cells of a setting in the order of the labels, each with the index of its label.
    pub fn row(&self, setting: usize) -> impl Iterator<Item = (usize, &Cell)> {
        (0..self.labels.len()).filter_map(move |label| self.cell(setting, label).map(|cell| (label, cell)))
    }

    /// The sources of a metric's numbers in a setting. Those that measured come before an estimate.
    pub fn sources(&self, setting: usize, phase: &str, metric: &str) -> Vec<&str> {
        let trials = self.row(setting).flat_map(|(_, cell)| &cell.trials);
        measured_first(trials.flat_map(|trial| trial.all(phase, metric)))
    }

    /// Every finished case, with the indices of its setting and label.
    pub fn trials(&self) -> impl Iterator<Item = (usize, usize, &Trial)> {
        (0..self.settings.len()).flat_map(move |setting| {
            self.row(setting)
                .flat_map(move |(label, cell)| cell.trials.iter().map(move |trial| (setting, label, trial)))
        })
    }

    /// Leaves out the scores of these cases, because their predictions give others.
    pub(crate) fn contradict(&mut self, found: &HashMap<String, Contradiction>) {
        for trial in self.cells.values_mut().flat_map(|cell| &mut cell.trials) {
            if let Some(contradiction) = found.get(&trial.case) {
                trial.contradict(*contradiction);
            }
        }
    }

    /// Pivots the rows of a run. Error messages name `path` as the origin of the rows.
    ///
    /// # Errors
    /// On rows that cannot be in one table: duplicates, cases that were not planned, a case of two machines, and mixed
    /// versions of a task or a model.
    pub fn new(info: &RunInfo, records: &[Record], path: &Path) -> Result<Grid, ReportError> {
        let cases = by_case(info, records, path)?;
        let mut grid = Grid { settings: Vec::new(), labels: Vec::new(), unfinished: Vec::new(), cells: HashMap::new() };
        let mut settings: HashMap<SettingKey<'_>, usize> = HashMap::new();
        let mut labels: HashMap<&str, usize> = HashMap::new();
        let mut counts: HashMap<PlannedCell<'_>, usize> = HashMap::new();
        for case in info.cases.iter().filter(|case| case.trial.is_none()) {
            *counts.entry(PlannedCell::of(case)).or_insert(0) += 1;
        }
        // They are before their case in the plan.
        let mut search: Vec<SearchTrial> = Vec::new();
        for planned in &info.cases {
            let label = *labels.entry(&planned.label).or_insert_with(|| {
                grid.labels.push(planned.label.clone());
                grid.labels.len() - 1
            });
            let rows = cases.get(planned.case.as_str()).map_or(&[][..], Vec::as_slice);
            let closing = rows.iter().find(|row| is_closing(row));
            if planned.trial.is_some() {
                // One without a wall time did not begin.
                let begun = closing.filter(|closing| closing.value.is_some());
                search.extend(begun.map(|closing| search_trial(closing, rows)));
                grid.unfinished.extend(closing.is_none().then(|| planned.case.clone()));
                continue;
            }
            let search = std::mem::take(&mut search);
            let Some(closing) = closing else {
                grid.unfinished.push(planned.case.clone());
                continue;
            };
            task_of(info, closing, path)?;
            let key = SettingKey {
                task: &closing.task,
                train_size: closing.train_size,
                label_noise: closing.label_noise.to_bits(),
                folds: closing.folds,
                device: &closing.device,
                machine: machine_of(info, closing),
            };
            let setting = *settings.entry(key).or_insert(grid.settings.len());
            if setting == grid.settings.len() {
                grid.settings.push(setting_of(info, closing, path)?);
            }
            let trial = Trial { search, ..trial(closing, rows) };
            match grid.cells.get_mut(&(setting, label)) {
                Some(cell) => {
                    check_same_model(&cell.trials[0], &trial, path)?;
                    cell.trials.push(trial);
                }
                None => {
                    let planned = counts[&PlannedCell::of(planned)];
                    let cell = Cell { planned, status: Status::Ok, trials: vec![trial] };
                    grid.cells.insert((setting, label), cell);
                }
            }
        }
        for ((setting, _), cell) in &mut grid.cells {
            cell.status = status_of(&grid.settings[*setting], cell);
        }
        name_settings(&mut grid.settings);
        Ok(grid)
    }
}

/// The cases of the plan that belong to one cell, on whichever machine they are measured.
#[derive(PartialEq, Eq, Hash)]
struct PlannedCell<'a> {
    task: &'a str,
    label: &'a str,
    train_size: usize,
    /// The bits of the share.
    label_noise: u64,
    folds: Option<usize>,
    device: &'a str,
}

impl PlannedCell<'_> {
    fn of(case: &CaseInfo) -> PlannedCell<'_> {
        PlannedCell {
            task: &case.task,
            label: &case.label,
            train_size: case.train_size,
            label_noise: case.label_noise.to_bits(),
            folds: case.folds,
            device: &case.device,
        }
    }
}

/// As in [`Cell::status`].
fn status_of(setting: &Setting, cell: &Cell) -> Status {
    let statuses = || cell.trials.iter().map(|trial| trial.status);
    if let Some(failed) = statuses().find(|status| !matches!(status, Status::Ok | Status::BelowFloor)) {
        return failed;
    }
    let means = cell.mean("score", &setting.task.primary).zip(cell.mean("score", "floor"));
    match (setting.folds, means) {
        (Some(_), Some((primary, floor))) if setting.primary().better.prefers(primary.mean, floor.mean) => Status::Ok,
        (Some(_), Some(_)) => Status::BelowFloor,
        _ => statuses().find(|status| *status != Status::Ok).unwrap_or(Status::Ok),
    }
}

/// What tells two settings apart.
#[derive(PartialEq, Eq, Hash)]
struct SettingKey<'a> {
    task: &'a str,
    train_size: usize,
    /// The bits of the share.
    label_noise: u64,
    folds: Option<usize>,
    device: &'a str,
    machine: &'a str,
}

/// Whether the row is the one that ends its case.
fn is_closing(row: &Record) -> bool {
    row.phase == "case" && row.metric == "wall_s"
}

fn incomparable(path: &Path, case: &str, message: String) -> ReportError {
    ReportError::Incomparable { path: path.to_owned(), case: case.to_owned(), message }
}

/// The machine of a row. A case that never began has no machine of its own and counts as one of the run's machine.
fn machine_of<'a>(info: &'a RunInfo, row: &'a Record) -> &'a str {
    if !row.machine.is_empty() {
        return &row.machine;
    }
    let device = info.devices.iter().find(|device| device.device == row.device);
    device.map_or(&info.machine.fingerprint, |device| &device.fingerprint)
}

/// The name of the device of a row. Rows of older schemas have none; `run.json` has that of the run's machine.
fn device_name_of<'a>(info: &'a RunInfo, row: &'a Record) -> &'a str {
    if !row.device_name.is_empty() {
        return &row.device_name;
    }
    let machine = machine_of(info, row);
    let devices = info.devices.iter();
    let mut same = devices.filter(|device| device.device == row.device && device.fingerprint == machine);
    same.next().map_or("", |device| &device.name)
}

/// The rows of each case. Refuses rows that do not belong together.
fn by_case<'a>(
    info: &RunInfo,
    records: &'a [Record],
    path: &Path,
) -> Result<HashMap<&'a str, Vec<&'a Record>>, ReportError> {
    let planned: HashMap<&str, &CaseInfo> = info.cases.iter().map(|case| (case.case.as_str(), case)).collect();
    let mut cases: HashMap<&str, Vec<&Record>> = HashMap::new();
    let mut seen = HashSet::new();
    for record in records {
        let refuse = |message| Err(incomparable(path, &record.case, message));
        let Some(case) = planned.get(record.case.as_str()) else {
            return refuse(
                "it is not in the plan of run.json: records of two runs are mixed; keep each in its own folder"
                    .to_owned(),
            );
        };
        if case.task != record.task || case.model != record.model {
            return refuse(format!(
                "its row says {} on {}, run.json says {} on {}",
                record.model, record.task, case.model, case.task
            ));
        }
        for (column, found, planned) in [
            ("train_size", record.train_size.to_string(), case.train_size.to_string()),
            ("label_noise", record.label_noise.to_string(), case.label_noise.to_string()),
            ("seed", record.seed.to_string(), case.seed.to_string()),
            ("folds", optional(record.folds), optional(case.folds)),
            ("repeat", optional(record.repeat), optional(case.repeat)),
            ("fold", optional(record.fold), optional(case.fold)),
            ("device", record.device.clone(), case.device.clone()),
        ] {
            if found != planned {
                return refuse(format!("its row has {column} '{found}', run.json has '{planned}'"));
            }
        }
        if !record.label.is_empty() && record.label != case.label {
            return refuse(format!("its row has the label '{}', run.json has '{}'", record.label, case.label));
        }
        if !seen.insert((&record.case, &record.phase, &record.metric, &record.source, &record.conditions)) {
            let source = if record.source.is_empty() { String::new() } else { format!(" by {}", record.source) };
            return refuse(format!(
                "{} of phase {}{source} is in the file twice: remove one",
                record.metric, record.phase
            ));
        }
        let rows = cases.entry(&record.case).or_default();
        if let Some(first) = rows.first() {
            check_same_case(first, record, path)?;
        }
        rows.push(record);
    }
    Ok(cases)
}

fn optional(number: Option<usize>) -> String {
    number.map_or(String::new(), |number| number.to_string())
}

fn check_same_case(first: &Record, record: &Record, path: &Path) -> Result<(), ReportError> {
    let identity = |row: &Record| {
        [
            ("task_version", row.task_version.to_string()),
            ("model_version", row.model_version.clone()),
            ("params", row.params.clone()),
            ("train_size", row.train_size.to_string()),
            ("label_noise", row.label_noise.to_string()),
            ("seed", row.seed.to_string()),
            ("folds", optional(row.folds)),
            ("repeat", optional(row.repeat)),
            ("fold", optional(row.fold)),
            ("trial", optional(row.trial)),
            ("device", row.device.clone()),
            ("machine", row.machine.clone()),
        ]
    };
    // The rows nearly always agree, so strings are only made for the message.
    let same = first.task_version == record.task_version
        && first.model_version == record.model_version
        && first.params == record.params
        && (first.train_size, first.seed) == (record.train_size, record.seed)
        && first.label_noise == record.label_noise
        && (first.folds, first.repeat, first.fold) == (record.folds, record.repeat, record.fold)
        && first.trial == record.trial
        && first.device == record.device
        && first.machine == record.machine;
    if same {
        return Ok(());
    }
    for ((column, one), (_, other)) in identity(first).into_iter().zip(identity(record)) {
        if one != other {
            let message =
                format!("its rows have {column} '{one}' and '{other}': one case is one measurement, run it again");
            return Err(incomparable(path, &record.case, message));
        }
    }
    Ok(())
}

fn check_same_model(first: &Trial, other: &Trial, path: &Path) -> Result<(), ReportError> {
    let is_searched = !first.search.is_empty() || !other.search.is_empty();
    for (what, one, two) in
        [("model_version", &first.model_version, &other.model_version), ("params", &first.params, &other.params)]
    {
        // Each seed chooses its own among its search trials.
        if what == "params" && is_searched {
            continue;
        }
        // A case that never ran has no version.
        if one != two && !one.is_empty() && !two.is_empty() {
            let message = format!(
                "{what} is '{two}', but '{one}' in case '{}': all seeds of a model must have the same",
                first.case
            );
            return Err(incomparable(path, &other.case, message));
        }
    }
    Ok(())
}

/// The task of a row. Refuses another version of the task than the run's.
fn task_of<'a>(info: &'a RunInfo, row: &Record, path: &Path) -> Result<&'a TaskInfo, ReportError> {
    let Some(task) = info.tasks.iter().find(|task| task.name == row.task) else {
        return Err(incomparable(path, &row.case, format!("task '{}' is not in run.json", row.task)));
    };
    if task.version == row.task_version {
        return Ok(task);
    }
    let message = format!(
        "task_version {} is not the run's {}: scores of two versions of a task cannot be compared; run the case again",
        row.task_version, task.version
    );
    Err(incomparable(path, &row.case, message))
}

fn setting_of(info: &RunInfo, row: &Record, path: &Path) -> Result<Setting, ReportError> {
    let refuse = |message| Err(incomparable(path, &row.case, message));
    let task = task_of(info, row, path)?;
    if metric(&task.primary).and_then(|metric| metric.score).is_none() {
        return refuse(format!(
            "the primary metric '{}' of its task is no score in the catalogue of metrics",
            task.primary
        ));
    }
    Ok(Setting {
        task: task.clone(),
        train_size: row.train_size,
        label_noise: row.label_noise,
        folds: row.folds,
        device: row.device.clone(),
        device_name: device_name_of(info, row).to_owned(),
        machine: machine_of(info, row).to_owned(),
        title: task.name.clone(),
    })
}

fn trial(closing: &Record, rows: &[&Record]) -> Trial {
    let values: Vec<Value> = rows
        .iter()
        .filter_map(|row| {
            Some(Value {
                phase: row.phase.clone(),
                metric: row.metric.clone(),
                value: row.value?,
                source: row.source.clone(),
                conditions: row.conditions.clone(),
                note: row.note.clone(),
            })
        })
        .collect();
    let empty = rows.iter().filter(|row| row.value.is_none() && !is_closing(row) && !is_of_round(&row.conditions));
    let has_another = |row: &Record| {
        let is_another = |value: &Value| value.phase == row.phase && value.metric == row.metric;
        values.iter().any(|value| is_another(value) && !is_of_round(&value.conditions))
    };
    let gaps = empty.map(|row| Gap {
        phase: row.phase.clone(),
        metric: row.metric.clone(),
        source: if has_another(row) { row.source.clone() } else { String::new() },
        reason: row.note.clone(),
    });
    let gaps = gaps.collect();
    Trial {
        case: closing.case.clone(),
        model: closing.model.clone(),
        model_version: closing.model_version.clone(),
        params: closing.params.clone(),
        threads: closing.threads,
        seed: closing.seed,
        fold: closing.repeat.zip(closing.fold),
        status: closing.status,
        note: closing.note.clone(),
        values,
        contradiction: None,
        gaps,
        search: Vec::new(),
    }
}

fn search_trial(closing: &Record, rows: &[&Record]) -> SearchTrial {
    let score = rows.iter().find(|row| row.phase == "validate").and_then(|row| row.value);
    let score = score.filter(|_| closing.status == Status::Ok);
    let train_examples = rows.iter().find(|row| row.phase == "fit" && row.metric == "train_examples");
    let train_examples = train_examples.and_then(|row| row.value);
    SearchTrial { params: closing.params.clone(), status: closing.status, score, train_examples }
}
