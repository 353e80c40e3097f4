//! The columns of each stored type, and the values that must not be stored.

use super::Row;
use crate::record::{Curve, IdleRow, PredictionRow, Reading, Record};

impl Row for Record {
    const COLUMNS: &'static [&'static str] = &[
        "schema",
        "run",
        "commit",
        "machine",
        "case",
        "task",
        "task_version",
        "label",
        "model",
        "model_version",
        "params",
        "train_size",
        "label_noise",
        "seed",
        "folds",
        "repeat",
        "fold",
        "trial",
        "device",
        "device_name",
        "threads",
        "conditions",
        "phase",
        "metric",
        "unit",
        "value",
        "source",
        "status",
        "note",
    ];

    const OLDER_COLUMNS: &'static [(u32, &'static [&'static str])] = &[
        (
            1,
            &[
                "schema",
                "run",
                "commit",
                "machine",
                "case",
                "task",
                "task_version",
                "model",
                "model_version",
                "params",
                "train_size",
                "seed",
                "device",
                "phase",
                "metric",
                "unit",
                "value",
                "source",
                "status",
                "note",
            ],
        ),
        (
            2,
            &[
                "schema",
                "run",
                "commit",
                "machine",
                "case",
                "task",
                "task_version",
                "label",
                "model",
                "model_version",
                "params",
                "train_size",
                "seed",
                "device",
                "device_name",
                "threads",
                "conditions",
                "phase",
                "metric",
                "unit",
                "value",
                "source",
                "status",
                "note",
            ],
        ),
    ];

    fn subject(&self) -> String {
        self.case.clone()
    }

    fn fault(&self) -> Option<(&'static str, String)> {
        not_a_file_name(&self.case).or_else(|| not_finite("value", self.value))
    }

    fn schema(&self) -> Option<u32> {
        Some(self.schema)
    }
}

impl Row for Curve {
    const COLUMNS: &'static [&'static str] =
        &["case", "epoch", "train_loss", "metric", "validation", "elapsed_s", "energy_j"];

    fn subject(&self) -> String {
        self.case.clone()
    }

    // A fit whose loss is not finite ends there, before the epoch has a row.
    fn fault(&self) -> Option<(&'static str, String)> {
        let numbers = [
            ("train_loss", Some(self.train_loss)),
            ("validation", self.validation),
            ("elapsed_s", Some(self.elapsed_s)),
            ("energy_j", self.energy_j),
        ];
        numbers.into_iter().find_map(|(column, value)| not_finite(column, value))
    }

    fn key(&self) -> Option<String> {
        Some(format!("epoch {} of case '{}'", self.epoch, self.case))
    }
}

impl Row for PredictionRow {
    const COLUMNS: &'static [&'static str] = &["example", "target", "prediction", "probabilities"];

    const OLDER_COLUMNS: &'static [(u32, &'static [&'static str])] =
        &[(1, &["example", "target", "prediction", "probability"])];

    fn subject(&self) -> String {
        format!("example {}", self.example)
    }

    fn fault(&self) -> Option<(&'static str, String)> {
        self.probabilities.iter().find_map(|&number| not_finite("probabilities", Some(f64::from(number))))
    }
}

impl Row for Reading {
    const COLUMNS: &'static [&'static str] = &["phase", "metric", "index", "example", "value", "unit", "source"];

    fn subject(&self) -> String {
        format!("reading {} of {} in {}", self.index, self.metric, self.phase)
    }

    fn fault(&self) -> Option<(&'static str, String)> {
        not_finite("value", Some(self.value))
    }
}

impl Row for IdleRow {
    const COLUMNS: &'static [&'static str] = &["at", "when", "source", "joules", "seconds", "note"];

    fn subject(&self) -> String {
        format!("the idle machine {} the cases by {}", self.when, self.source)
    }

    fn fault(&self) -> Option<(&'static str, String)> {
        let seconds = self.seconds.filter(|seconds| *seconds <= 0.0);
        not_finite("joules", self.joules).or_else(|| not_finite("seconds", self.seconds)).or_else(|| {
            seconds.map(|seconds| ("seconds", format!("{seconds} is no length of a window, expected a number above 0")))
        })
    }
}

fn not_finite(column: &'static str, value: Option<f64>) -> Option<(&'static str, String)> {
    let value = value.filter(|value| !value.is_finite())?;
    Some((column, format!("{value} is not a finite number; a missing number is an empty field")))
}

/// Refuses a case whose name leads out of the run directory, because its predictions file is named after it.
fn not_a_file_name(case: &str) -> Option<(&'static str, String)> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if !case.is_empty() && !case.starts_with('.') && case.chars().all(plain) {
        return None;
    }
    Some(("case", format!("'{case}' is no case: expected letters, digits, '.', '-' and '_'")))
}
