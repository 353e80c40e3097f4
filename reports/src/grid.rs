//! The pivot from rows to comparisons: which model did what on which task.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use crate::error::ReportError;
use crate::metric::{Metric, Score, TargetUnit, metric};
use crate::record::{Record, Status};
use crate::run_info::{CaseInfo, RunInfo, TaskInfo};

/// The source of numbers that were computed from something else and not measured. Such a number is shown where there
/// is no other, and ranks nothing.
pub const ESTIMATE: &str = "estimate";

/// One task at one training size on one device of one machine: what models are compared on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The task.
    pub task: TaskInfo,
    /// Rows given for training.
    pub train_size: usize,
    /// The kind of device.
    pub device: String,
    /// The fingerprint of the machine: costs of two machines are never in one setting.
    pub machine: String,
    /// The task's name, with size, device and machine where the run has several.
    pub title: String,
}

impl Setting {
    /// The metric that ranks.
    pub fn primary(&self) -> &'static Metric {
        metric(&self.task.primary).expect("Grid::new refuses tasks whose primary metric is not in the catalogue")
    }

    /// The unit of the primary metric after a comma, where it has one: `, °²`.
    pub fn primary_unit(&self) -> String {
        let unit = self.task.unit.as_str();
        match self.score().target_unit {
            TargetUnit::Squared if !unit.is_empty() => format!(", {unit}²"),
            TargetUnit::Same if !unit.is_empty() => format!(", {unit}"),
            _ => String::new(),
        }
    }

    /// How the primary metric is computed.
    pub fn score(&self) -> &'static Score {
        self.primary().score.as_ref().expect("Grid::new refuses tasks whose primary metric is no score")
    }
}

/// One number of a case.
#[derive(Debug, Clone, PartialEq)]
pub struct Value {
    /// As in [`Record::phase`].
    pub phase: String,
    /// As in [`Record::metric`].
    pub metric: String,
    /// The number.
    pub value: f64,
    /// As in [`Record::source`].
    pub source: String,
    /// As in [`Record::note`].
    pub note: String,
    /// As in [`Record::conditions`].
    pub conditions: String,
}

/// A number that a case should have and does not have.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gap {
    /// As in [`Record::phase`].
    pub phase: String,
    /// As in [`Record::metric`].
    pub metric: String,
    /// The source that did not give it, where another one did; empty where none did.
    pub source: String,
    /// Why.
    pub reason: String,
}

/// One finished case: one seed of a cell.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// The case.
    pub case: String,
    /// The model's name.
    pub model: String,
    /// The model's version and its library's.
    pub model_version: String,
    /// As in [`Record::params`].
    pub params: String,
    /// The seed.
    pub seed: u64,
    /// How it ended.
    pub status: Status,
    /// The reason, or a remark.
    pub note: String,
    /// Every number there is.
    pub values: Vec<Value>,
    /// Rows without a number, the closing one aside.
    pub gaps: Vec<Gap>,
}

impl Trial {
    /// The number of this metric in this phase, measured under no further conditions. Where several sources give one, it
    /// is the first that was measured, and an estimate only if none was.
    pub fn get(&self, phase: &str, metric: &str) -> Option<&Value> {
        let mut all = self.all(phase, metric);
        let first = all.next()?;
        if first.source == ESTIMATE {
            Some(all.find(|value| value.source != ESTIMATE).unwrap_or(first))
        } else {
            Some(first)
        }
    }

    /// The number that this source gives.
    pub fn get_from(&self, phase: &str, metric: &str, source: &str) -> Option<&Value> {
        self.all(phase, metric).find(|value| value.source == source)
    }

    /// The numbers of all sources.
    fn all(&self, phase: &str, metric: &str) -> impl Iterator<Item = &Value> {
        self.values
            .iter()
            .filter(move |value| value.metric == metric && value.phase == phase && value.conditions.is_empty())
    }
}

/// A mean over the seeds of a cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mean {
    /// Arithmetic mean.
    pub mean: f64,
    /// Standard deviation over seeds (divisor n - 1); `None` for one seed.
    pub sd: Option<f64>,
    /// Seeds that have the number.
    pub n: usize,
}

/// One model in one setting: its finished cases, one per seed.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// In the order of the plan; at least one.
    pub trials: Vec<Trial>,
}

impl Cell {
    /// `ok` if every seed is; otherwise the status of the first seed that is not.
    pub fn status(&self) -> Status {
        self.trials.iter().map(|trial| trial.status).find(|status| *status != Status::Ok).unwrap_or(Status::Ok)
    }

    /// The mean over the seeds that have the number from the cell's first source. Numbers of two sources are never
    /// averaged.
    pub fn mean(&self, phase: &str, metric: &str) -> Option<Mean> {
        self.mean_from(phase, metric, self.source(phase, metric)?)
    }

    /// The mean over the seeds that have the number from this source.
    pub fn mean_from(&self, phase: &str, metric: &str, source: &str) -> Option<Mean> {
        let values: Vec<f64> = self
            .trials
            .iter()
            .filter_map(|trial| trial.get_from(phase, metric, source))
            .map(|value| value.value)
            .collect();
        if values.is_empty() {
            return None;
        }
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let sd = (values.len() > 1).then(|| (squares / (n - 1.0)).sqrt());
        Some(Mean { mean, sd, n: values.len() })
    }

    /// The first of [`Cell::sources`].
    pub fn source(&self, phase: &str, metric: &str) -> Option<&str> {
        self.sources(phase, metric).into_iter().next()
    }

    /// Where the numbers come from, those that measured first.
    pub fn sources(&self, phase: &str, metric: &str) -> Vec<&str> {
        measured_first(self.trials.iter().flat_map(|trial| trial.all(phase, metric)))
    }
}

/// The sources of these numbers in the order in which they appear, the estimate last.
fn measured_first<'a>(values: impl Iterator<Item = &'a Value>) -> Vec<&'a str> {
    let mut sources: Vec<&str> = Vec::new();
    for value in values {
        if !sources.contains(&value.source.as_str()) {
            sources.push(&value.source);
        }
    }
    sources.sort_by_key(|source| *source == ESTIMATE);
    sources
}

/// All finished cases of a run: settings down, models across.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    /// In the order of the plan.
    pub settings: Vec<Setting>,
    /// The models' labels, in the order of the plan.
    pub labels: Vec<String>,
    /// Planned cases without a closing row: not run yet, or interrupted.
    pub unfinished: Vec<String>,
    cells: HashMap<(usize, usize), Cell>,
}

impl Grid {
    /// The cell of a setting and a label, by their index; `None` if no case of it has finished.
    pub fn cell(&self, setting: usize, label: usize) -> Option<&Cell> {
        self.cells.get(&(setting, label))
    }

    /// The cells of a setting with the index of their label, in the order of the labels.
    pub fn row(&self, setting: usize) -> impl Iterator<Item = (usize, &Cell)> {
        (0..self.labels.len()).filter_map(move |label| self.cell(setting, label).map(|cell| (label, cell)))
    }

    /// Where the numbers of a metric come from in a setting, those that measured first.
    pub fn sources(&self, setting: usize, phase: &str, metric: &str) -> Vec<&str> {
        let trials = self.row(setting).flat_map(|(_, cell)| &cell.trials);
        measured_first(trials.flat_map(|trial| trial.all(phase, metric)))
    }

    /// Every finished case, by setting and label.
    pub fn trials(&self) -> impl Iterator<Item = (usize, usize, &Trial)> {
        (0..self.settings.len()).flat_map(move |setting| {
            self.row(setting)
                .flat_map(move |(label, cell)| cell.trials.iter().map(move |trial| (setting, label, trial)))
        })
    }

    /// Pivots the rows of a run. `path` is where they come from, for error messages.
    ///
    /// # Errors
    /// On rows that cannot stand in one table: duplicates, cases that were not planned, a case of two machines, mixed
    /// versions of a task or a model.
    pub fn new(info: &RunInfo, records: &[Record], path: &Path) -> Result<Grid, ReportError> {
        let cases = by_case(info, records, path)?;
        let mut grid = Grid { settings: Vec::new(), labels: Vec::new(), unfinished: Vec::new(), cells: HashMap::new() };
        let mut settings: HashMap<(&str, usize, &str, &str), usize> = HashMap::new();
        let mut labels: HashMap<&str, usize> = HashMap::new();
        for planned in &info.cases {
            let label = *labels.entry(&planned.label).or_insert_with(|| {
                grid.labels.push(planned.label.clone());
                grid.labels.len() - 1
            });
            let rows = cases.get(planned.case.as_str()).map_or(&[][..], Vec::as_slice);
            let Some(closing) = rows.iter().find(|row| is_closing(row)) else {
                grid.unfinished.push(planned.case.clone());
                continue;
            };
            task_of(info, closing, path)?;
            let machine = machine_of(info, closing);
            let key = (closing.task.as_str(), closing.train_size, closing.device.as_str(), machine);
            let setting = *settings.entry(key).or_insert(grid.settings.len());
            if setting == grid.settings.len() {
                grid.settings.push(setting_of(info, closing, path)?);
            }
            let trial = trial(closing, rows);
            match grid.cells.get_mut(&(setting, label)) {
                Some(cell) => {
                    check_same_model(&cell.trials[0], &trial, path)?;
                    cell.trials.push(trial);
                }
                None => drop(grid.cells.insert((setting, label), Cell { trials: vec![trial] })),
            }
        }
        name_settings(&mut grid.settings);
        Ok(grid)
    }
}

/// Whether the row is the one that ends its case.
fn is_closing(row: &Record) -> bool {
    row.phase == "case" && row.metric == "wall_s"
}

fn incomparable(path: &Path, case: &str, message: String) -> ReportError {
    ReportError::Incomparable { path: path.to_owned(), case: case.to_owned(), message }
}

/// The machine of a row. A case that never began has none of its own and stands with those of the run's.
fn machine_of<'a>(info: &'a RunInfo, row: &'a Record) -> &'a str {
    if !row.machine.is_empty() {
        return &row.machine;
    }
    let device = info.devices.iter().find(|device| device.device == row.device);
    device.map_or(&info.machine.fingerprint, |device| &device.fingerprint)
}

/// The rows of each case; refuses rows that do not belong together.
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

fn check_same_case(first: &Record, record: &Record, path: &Path) -> Result<(), ReportError> {
    let identity = |row: &Record| {
        [
            ("task_version", row.task_version.to_string()),
            ("model_version", row.model_version.clone()),
            ("params", row.params.clone()),
            ("train_size", row.train_size.to_string()),
            ("seed", row.seed.to_string()),
            ("device", row.device.clone()),
            ("machine", row.machine.clone()),
        ]
    };
    // They nearly always do, so the strings are made for the message only.
    let same = first.task_version == record.task_version
        && first.model_version == record.model_version
        && first.params == record.params
        && (first.train_size, first.seed) == (record.train_size, record.seed)
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
    for (what, one, two) in
        [("model_version", &first.model_version, &other.model_version), ("params", &first.params, &other.params)]
    {
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

/// The task of a row; refuses another version of it than the run's.
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
        device: row.device.clone(),
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
    let empty = rows.iter().filter(|row| row.value.is_none() && !is_closing(row));
    let has_another = |row: &Record| values.iter().any(|value| value.phase == row.phase && value.metric == row.metric);
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
        seed: closing.seed,
        status: closing.status,
        note: closing.note.clone(),
        values,
        gaps,
    }
}

/// Completes titles that are the names of the tasks: a title says no more than is needed to tell the settings apart.
pub(crate) fn name_settings(settings: &mut [Setting]) {
    let devices: HashSet<String> = settings.iter().map(|setting| setting.device.clone()).collect();
    let mut machines: HashMap<String, HashSet<String>> = HashMap::new();
    let mut sizes: HashMap<String, HashSet<usize>> = HashMap::new();
    for setting in settings.iter() {
        sizes.entry(setting.task.name.clone()).or_default().insert(setting.train_size);
        machines.entry(setting.device.clone()).or_default().insert(setting.machine.clone());
    }
    for setting in settings {
        if sizes[&setting.task.name].len() > 1 {
            setting.title += &format!(", {} rows", setting.train_size);
        }
        if devices.len() > 1 {
            setting.title += &format!(", {}", setting.device);
        }
        if machines[&setting.device].len() > 1 {
            setting.title += &format!(", machine {}", setting.machine);
        }
    }
}
