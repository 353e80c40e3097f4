//! The stored rows: `records.csv`, `curves.csv` and `predictions/<case>.csv`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The version of the columns of `records.csv`.
pub const SCHEMA: u32 = 1;

/// How a case ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Measured, and at least as good as its task's floor.
    Ok,
    /// Measured, but no better than a constant answer: its times are not ranked.
    BelowFloor,
    /// The model cannot do the task; known before anything ran.
    Unsupported,
    /// The model or the program reported an error, or the process died.
    Failed,
    /// Did not end in time.
    TimedOut,
    /// Asked for more memory than the limit.
    OutOfMemory,
    /// A loss or a prediction that is not a finite number.
    Diverged,
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
        }
    }

    /// Whether another attempt may end otherwise: `resume` retries these and never takes them as results.
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

/// One row of `records.csv`: one metric of one case in one phase. The order of the fields is the order of the columns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The run's directory name.
    pub run: String,
    /// The commit the program was built from, or `unknown`.
    pub commit: String,
    /// The machine's fingerprint: records of different machines are not compared in cost.
    pub machine: String,
    /// `task.label.n<train_size>.s<seed>.<device>`; the label is the model's name unless the suite gave another.
    pub case: String,
    /// The task's name.
    pub task: String,
    /// The task's version.
    pub task_version: u32,
    /// The model's name.
    pub model: String,
    /// The model's version and its library's.
    pub model_version: String,
    /// Every parameter as `name=value`, by name, separated by spaces.
    pub params: String,
    /// Rows given for training, validation included.
    pub train_size: usize,
    /// The seed of the case.
    pub seed: u64,
    /// `cpu`, …
    pub device: String,
    /// `score`, `fit`, `predict-batch`, `predict-single`, or `case` for the one row that closes each case.
    pub phase: String,
    /// The metric's name; see [`crate::METRICS`].
    pub metric: String,
    /// Its unit: a plain SI unit, or empty.
    pub unit: String,
    /// The number; empty where there is none, never a stand-in.
    pub value: Option<f64>,
    /// Where the number comes from: `scorer`, `stopwatch`, `rapl`, `estimate`, `kernel`, `model`.
    pub source: String,
    /// How the case ended.
    pub status: Status,
    /// The reason, for a case that is not `ok`; a remark otherwise.
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
    /// Its value on the validation rows; empty where it is undefined, as a correlation with a constant is.
    pub validation: Option<f64>,
    /// Seconds since the fit began, validation included.
    pub elapsed_s: f64,
    /// Joules since the fit began; empty without a meter.
    pub energy_j: Option<f64>,
}

/// One row of `predictions/<case>.csv`, in the order of the test split. Class tasks write class names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PredictionRow {
    /// Index in the test split, from 0.
    pub example: usize,
    /// What was to be predicted.
    pub target: String,
    /// What was predicted.
    pub prediction: String,
    /// The probability given to the prediction; empty if the model has none or the task is a regression.
    pub probability: Option<f64>,
}
