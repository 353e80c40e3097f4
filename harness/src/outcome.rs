//! The result of a case: values, curves, predictions and status; and the rows made of it.

use std::collections::BTreeMap;

use bakeoff_reports::{Curve, PredictionRow, Reading, Record, SCHEMA, Status, metric};
use serde::{Deserialize, Serialize};

use crate::case::Case;
use crate::phase::Phase;

/// One number of one metric in one phase.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricValue {
    /// The phase in which it was measured.
    pub phase: Phase,
    /// A name in [`bakeoff_reports::METRICS`].
    pub metric: String,
    /// The number. `None` if it could not be measured; `note` then says why.
    pub value: Option<f64>,
    /// What gave the number: `scorer`, `stopwatch`, `rapl`, `estimate`, `kernel`, `library`, `model`, `data` (counts of rows),
    /// `search` (counts of search trials) or `suite` (what was asked for). Empty for energy without a meter.
    pub source: String,
    /// A remark, or the reason for a missing number.
    pub note: String,
    /// Further conditions under which it was measured, as `name=value` in the order of the names, separated by spaces; empty for
    /// what every case measures.
    pub conditions: String,
}

/// How the note of a case begins whose process ended without a result, killed by the system or by a fault in native code.
pub const PROCESS_ENDED: &str = "the case's process ended without a result";

/// How the note of a case begins whose saved model could not be served.
pub const NOT_SERVED: &str = "the saved model could not be served";

/// How the note of a case begins whose process could not be started.
pub const NOT_STARTED: &str = "cannot start the case's process";

/// How the note of a case begins whose task on a cluster ended without a result.
pub const TASK_ENDED: &str = "the case's task ended without a result";

/// Whether the note of a case says that it failed for a reason outside of it, which says nothing about its parameters.
pub fn is_stop_from_outside(note: &str) -> bool {
    [PROCESS_ENDED, NOT_STARTED, TASK_ENDED].iter().any(|beginning| note.starts_with(beginning))
}

/// The result of one case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// How the case ended.
    pub status: Status,
    /// The reason, if it is not `ok`.
    pub note: String,
    /// The commit of the program that measured the case. Empty if it is that of this program.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub commit: String,
    /// The fingerprint of the machine that measured the case. Empty if nothing was measured.
    pub machine: String,
    /// The name of the device that the case computed on. Empty if nothing was measured.
    pub device_name: String,
    /// Processor threads that the process computed on; `None` if none measured.
    pub threads: Option<usize>,
    /// The numbers.
    pub values: Vec<MetricValue>,
    /// The raw numbers of the instruments, from which values are computed.
    pub readings: Vec<Reading>,
    /// One row per epoch.
    pub curves: Vec<Curve>,
    /// One row per test example.
    pub predictions: Vec<PredictionRow>,
    /// The predictions for each split whose targets are hidden, with the split's name. They have no targets.
    pub hidden: Vec<(String, Vec<PredictionRow>)>,
    /// A PNG file of images that the model has made; empty if it makes none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sheet: Vec<u8>,
}

impl Outcome {
    /// The outcome of a case without numbers.
    pub fn without_numbers(status: Status, note: impl Into<String>) -> Outcome {
        Outcome {
            status,
            note: note.into(),
            commit: String::new(),
            machine: String::new(),
            device_name: String::new(),
            threads: None,
            values: Vec::new(),
            readings: Vec::new(),
            curves: Vec::new(),
            predictions: Vec::new(),
            hidden: Vec::new(),
            sheet: Vec::new(),
        }
    }

    /// Appends a remark to the note.
    pub fn remark(&mut self, note: &str) {
        if !self.note.is_empty() {
            self.note.push_str("; ");
        }
        self.note.push_str(note);
    }

    /// The value of a metric in a phase, measured under no further conditions.
    pub fn value(&self, phase: Phase, metric: &str) -> Option<f64> {
        let is_wanted = |v: &&MetricValue| v.phase == phase && v.metric == metric && v.conditions.is_empty();
        self.values.iter().find(is_wanted).and_then(|v| v.value)
    }

    /// Adds what the next process measured that does the same work. The first failure stays.
    pub fn go_on_with(&mut self, next: Outcome) {
        self.values.extend(next.values);
        self.readings.extend(next.readings);
        if !next.predictions.is_empty() {
            self.predictions = next.predictions;
        }
        if next.status.is_failure() && !self.status.is_failure() {
            let remarks = std::mem::replace(&mut self.note, next.note);
            self.status = next.status;
            if !remarks.is_empty() {
                self.remark(&remarks);
            }
        } else if !next.note.is_empty() && !self.note.contains(&next.note) {
            self.remark(&next.note);
        }
    }

    /// Adds what the processes measured that served the saved model. If they failed, so has the case; what the fit gave stays.
    pub fn add_served(&mut self, served: Outcome) {
        self.values.extend(served.values);
        self.readings.extend(served.readings);
        if served.status.is_failure() {
            self.status = served.status;
            let remarks = std::mem::replace(&mut self.note, format!("{NOT_SERVED}: {}", served.note));
            if !remarks.is_empty() {
                self.remark(&remarks);
            }
        } else if !served.note.is_empty() && !self.note.contains(&served.note) {
            self.remark(&served.note);
        }
    }
}

/// The values that all rows of a run share.
#[derive(Debug, Clone)]
pub struct RunIdentity {
    /// The run's directory name.
    pub run: String,
    /// The commit the program was built from.
    pub commit: String,
    /// The fingerprints and the names of the devices with which the run was begun, by their kind. Rows that no process measured carry
    /// them. Empty if other machines measure.
    pub devices: BTreeMap<String, (String, String)>,
    /// Versions of the tasks, by name.
    pub task_versions: BTreeMap<String, u32>,
    /// Versions of the models, by the id of the case, because they depend on the device too.
    pub model_versions: BTreeMap<String, String>,
}

impl RunIdentity {
    /// The rows of a case: its values, and then one row with its wall time and its status, which closes the case.
    pub fn records(&self, case: &Case, outcome: &Outcome, wall_s: Option<f64>) -> Vec<Record> {
        let closing = MetricValue {
            phase: Phase::Case,
            metric: "wall_s".to_owned(),
            value: wall_s,
            source: "stopwatch".to_owned(),
            note: outcome.note.clone(),
            conditions: String::new(),
        };
        let (machine, device_name) = if outcome.machine.is_empty() {
            self.devices.get(&case.device).cloned().unwrap_or_default()
        } else {
            (outcome.machine.clone(), outcome.device_name.clone())
        };
        let row = |value: &MetricValue| Record {
            schema: SCHEMA,
            run: self.run.clone(),
            commit: if outcome.commit.is_empty() { &self.commit } else { &outcome.commit }.clone(),
            machine: machine.clone(),
            case: case.id.clone(),
            task: case.task.clone(),
            task_version: self.task_versions.get(&case.task).copied().unwrap_or_default(),
            label: case.label.clone(),
            model: case.model.clone(),
            model_version: self.model_versions.get(&case.id).cloned().unwrap_or_default(),
            params: case.params.to_string(),
            train_size: case.train_size,
            label_noise: case.label_noise,
            seed: case.seed,
            folds: case.fold.map(|fold| fold.folds),
            repeat: case.fold.map(|fold| fold.repeat),
            fold: case.fold.map(|fold| fold.fold),
            trial: case.trial,
            device: case.device.clone(),
            device_name: device_name.clone(),
            threads: Some(outcome.threads.unwrap_or(case.threads)),
            conditions: value.conditions.clone(),
            phase: value.phase.name().to_owned(),
            metric: value.metric.clone(),
            unit: metric(&value.metric).map_or(String::new(), |metric| metric.unit.to_owned()),
            value: value.value,
            source: value.source.clone(),
            status: outcome.status,
            note: value.note.clone(),
        };
        outcome.values.iter().chain([&closing]).map(row).collect()
    }
}
