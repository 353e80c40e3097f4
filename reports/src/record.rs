//! The stored rows: `records.csv`, `curves.csv`, `predictions/<case>.csv` and `readings/<case>.csv.gz`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The version of what a run stores: the columns of its CSV files and the fields of `run.json`. This program writes it
/// and reads every one before it.
pub const SCHEMA: u32 = 3;

/// The message about a file of a later schema.
pub(crate) fn newer(schema: u32) -> String {
    format!("written by a newer bakeoff (schema {schema}, this one reads up to {SCHEMA}): update")
}

/// How a case ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Measured, and better than its task's floor.
    Ok,
    /// Measured, but no better than a constant answer. The case is not ranked.
    BelowFloor,
    /// The model cannot do the task, which was known before anything ran.
    Unsupported,
    /// The model or the program reported an error, or the process died.
    Failed,
    /// The case did not end within the time-out.
    TimedOut,
    /// The case needed more memory than the limit.
    OutOfMemory,
    /// A loss or a prediction was not a finite number.
    Diverged,
    /// The fit could not be done within its budget, or that of no search trial of the case, or the search trial did not begin because
    /// its search had used up its budget.
    OverBudget,
}

impl Status {
    /// Every status.
    pub const ALL: &[Status] = &[
        Status::Ok,
        Status::BelowFloor,
        Status::Unsupported,
        Status::Failed,
        Status::TimedOut,
        Status::OutOfMemory,
        Status::Diverged,
        Status::OverBudget,
    ];

    /// The word in records.
    pub fn name(self) -> &'static str {
        match self {
            Status::Ok => "ok",
            Status::BelowFloor => "below-floor",
            Status::Unsupported => "unsupported",
            Status::Failed => "failed",
            Status::TimedOut => "timed-out",
            Status::OutOfMemory => "out-of-memory",
            Status::Diverged => "diverged",
            Status::OverBudget => "over-budget",
        }
    }

    /// Whether another attempt may end differently. `resume` runs such a case again.
    pub fn is_failure(self) -> bool {
        matches!(self, Status::Failed | Status::TimedOut | Status::OutOfMemory | Status::Diverged)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Status {
    type Err = String;

    fn from_str(word: &str) -> Result<Status, String> {
        Status::ALL
            .iter()
            .copied()
            .find(|status| status.name() == word)
            .ok_or_else(|| format!("'{word}' is not a status"))
    }
}

/// One row of `records.csv`: one metric of one case in one phase from one source. The order of the fields is the order
/// of the columns. A field that was added later has a default, which is its value in a row of an older schema.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The schema that the row was stored with, at most [`SCHEMA`]. Only rows of [`SCHEMA`] are written.
    pub schema: u32,
    /// The run's directory name.
    pub run: String,
    /// The commit that the program was built from, or `unknown`.
    pub commit: String,
    /// The fingerprint of the machine, device included, on which the case was measured. Costs of two fingerprints are
    /// not compared.
    pub machine: String,
    /// `task.label.n<train_size>[.noise<percent>].s<seed>[.r<repeat>f<fold>][.t<trial>].<device>`; the label is the model's name
    /// unless the suite gave another.
    pub case: String,
    /// The task's name.
    pub task: String,
    /// The task's version.
    pub task_version: u32,
    /// The model's name in figures and tables, which is its own name unless the suite gave another. Since schema 2;
    /// empty in older rows.
    #[serde(default)]
    pub label: String,
    /// The model's name.
    pub model: String,
    /// The model's version and its library's.
    pub model_version: String,
    /// Every parameter as `name=value`, in the order of the names, separated by spaces.
    pub params: String,
    /// Rows given for training, validation included; with folds, the rows that are divided into folds.
    pub train_size: usize,
    /// The share of the training labels that was made wrong. Since schema 3; 0 in older rows.
    #[serde(default)]
    pub label_noise: f64,
    /// The seed of the case.
    pub seed: u64,
    /// How many folds the rows were divided into; `None` if the case was scored on the test rows. Since schema 3; `None` in
    /// older rows.
    #[serde(default)]
    pub folds: Option<usize>,
    /// Which division into folds, from 1. Since schema 3; `None` in older rows.
    #[serde(default)]
    pub repeat: Option<usize>,
    /// The fold whose rows were scored, from 1. Since schema 3; `None` in older rows.
    #[serde(default)]
    pub fold: Option<usize>,
    /// Which search trial it was, from 1; `None` if the case was scored. Since schema 3; `None` in older rows.
    #[serde(default)]
    pub trial: Option<usize>,
    /// The kind of device: `cpu`, …
    pub device: String,
    /// The name of the device: the processor's model. Since schema 2; empty in older rows.
    #[serde(default)]
    pub device_name: String,
    /// How many processor threads the case was given. Since schema 2; `None` in older rows.
    #[serde(default)]
    pub threads: Option<usize>,
    /// The conditions under which the row was measured, as `name=value` in the order of the names, separated by spaces
    /// (`batch=64`). Empty for what every case measures. Since schema 2; empty in older rows.
    #[serde(default)]
    pub conditions: String,
    /// `search`, `fit`, `validate`, `score`, `predict-batch`, `predict-single`, or `case` for the one row that closes each case.
    pub phase: String,
    /// The metric's name; see [`crate::METRICS`].
    pub metric: String,
    /// The metric's unit: a plain SI unit, or empty.
    pub unit: String,
    /// The number. `None` if it is missing.
    pub value: Option<f64>,
    /// What gave the number: `scorer`, `stopwatch`, a meter (`rapl`, `rapl-virtual`, `nvml`), `estimate`, `kernel`, `library`, `model`, `data`, `search` or `suite`.
    pub source: String,
    /// How the case ended.
    pub status: Status,
    /// The reason, for a case that is not `ok`. A remark for others.
    pub note: String,
}

/// One row of `curves.csv`: one epoch of one case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Curve {
    /// As in [`Record::case`].
    pub case: String,
    /// Counted from 1.
    pub epoch: usize,
    /// Mean training loss over the epoch.
    pub train_loss: f64,
    /// The name of the validation metric: the task's primary metric.
    pub metric: String,
    /// The metric's value on the validation rows. Empty if it is undefined, as a correlation with a constant is.
    pub validation: Option<f64>,
    /// Seconds since the fit began, validation included.
    pub elapsed_s: f64,
    /// Joules since the fit began. Empty without a meter.
    pub energy_j: Option<f64>,
}

/// One row of `idle.csv`: what a meter showed while no case ran.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdleRow {
    /// When the window ended, RFC 3339, UTC.
    pub at: String,
    /// `before` the first case or `after` the last one. A resumed run has both once more.
    pub when: String,
    /// The meter, as in [`Record::source`].
    pub source: String,
    /// Joules of the window. `None` if they are not known.
    pub joules: Option<f64>,
    /// Its seconds. `None` if its joules are not known.
    pub seconds: Option<f64>,
    /// Why a number is missing.
    pub note: String,
}

impl IdleRow {
    /// The mean power, in watts.
    pub fn watts(&self) -> Option<f64> {
        Some(self.joules? / self.seconds?)
    }
}

/// One row of `predictions/<case>.csv`, in the order of the test split. Classes are written by name.
// Unknown columns are found by the header. If serde denied them here, the additional column of schema 1 could not be
// skipped.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PredictionRow {
    /// Index in the test split, from 0.
    pub example: usize,
    /// What was to be predicted.
    pub target: String,
    /// What was predicted.
    pub prediction: String,
    /// The probability of each class, in the order of the task's classes. Empty if the model has none or the task is a
    /// regression. Schema 1 stored only the probability of the prediction, from which no score can be computed, so such
    /// a row reads as empty.
    #[serde(default, with = "probabilities")]
    pub probabilities: Vec<f32>,
}

/// One row of `readings/<case>.csv.gz`: one raw number from one instrument in one window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reading {
    /// As in [`Record::phase`].
    pub phase: String,
    /// What the instrument measured: the metric that is computed from such readings, or a name of its own.
    pub metric: String,
    /// The index of the reading among those of its phase and metric, from 0, in the order in which they were taken.
    pub index: usize,
    /// The index in the test split of the measured example. `None` if the reading is not about a single example.
    pub example: Option<usize>,
    /// The number.
    pub value: f64,
    /// The unit: a plain SI unit, or empty.
    pub unit: String,
    /// The instrument, as in [`Record::source`].
    pub source: String,
}

/// A row of probabilities in one field, separated by spaces. Each number reads back to the same bits.
mod probabilities {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(row: &[f32], serializer: S) -> Result<S::Ok, S::Error> {
        let text: Vec<String> = row.iter().map(|number| format!("{number:?}")).collect();
        serializer.serialize_str(&text.join(" "))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f32>, D::Error> {
        let text = String::deserialize(deserializer)?;
        let number = |word: &str| {
            let refuse = |_| {
                D::Error::custom(format!(
                    "column probabilities: '{word}', expected numbers with one space between them"
                ))
            };
            word.parse::<f32>().map_err(refuse)
        };
        if text.is_empty() { Ok(Vec::new()) } else { text.split(' ').map(number).collect() }
    }
}
