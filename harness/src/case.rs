//! A case: task x model x parameters x training size x seed x device. It is the unit of work, isolation, failure and
//! resume.

use bakeoff_models::Resolved;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::meters::{EnergyConfig, IdleWindow};
use crate::tasks::OwnTask;

/// Everything that a process needs to measure one cell of a comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Case {
    /// `task.label.n<train_size>.s<seed>.<device>`. The case's predictions file has the same name.
    pub id: String,
    /// The task's name.
    pub task: String,
    /// The task itself, if it is the user's own. The child needs it to read the same data. `None` for a built-in task.
    pub own: Option<OwnTask>,
    /// The model's name.
    pub model: String,
    /// The model's name in figures and tables.
    pub label: String,
    /// The model's parameters, complete and checked.
    pub params: Resolved,
    /// Rows to learn from, validation included.
    pub train_size: usize,
    /// The user's seed. The seeds that the program uses are derived from it.
    pub seed: u64,
    /// Where the model computes.
    pub device: String,
    /// How many processor threads the case may use.
    pub threads: usize,
    /// Seconds after which the case is ended.
    pub timeout_s: f64,
    /// Bytes of resident memory at which the case is ended.
    pub memory_limit_bytes: u64,
    /// How many distinct examples the latency measurement predicts one at a time.
    pub latency_examples: usize,
    /// Whether splits with hidden targets are predicted too.
    pub predict_hidden: bool,
    /// Whether the fitted model is saved in the run's directory.
    pub keep_model: bool,
    /// How many test rows are used. `None` for all; a trial uses a few.
    pub test_rows: Option<usize>,
    /// How energy is measured.
    pub energy: EnergyConfig,
    /// What a meter measured on the idle machine before the run. `None` if no meter could.
    pub idle: Option<IdleWindow>,
    /// Why the model cannot do the task, if that was known before anything ran.
    pub unsupported: Option<String>,
}

impl Case {
    /// The id of the case that has these values.
    pub fn id_of(task: &str, label: &str, train_size: usize, seed: u64, device: &str) -> String {
        format!("{task}.{label}.n{train_size}.s{seed}.{device}")
    }

    /// The seed that chooses the rows to learn from, and which of them are set aside for validation. Every model gets
    /// the same rows. The rows of a smaller training size are among those of a larger one.
    pub fn rows_seed(&self) -> u64 {
        derive(&["rows", &self.task, &self.seed.to_string()])
    }

    /// The seed from which the model derives its own random choices.
    pub fn model_seed(&self) -> u64 {
        derive(&["model", &self.task, &self.model, &self.train_size.to_string(), &self.seed.to_string()])
    }
}

/// A seed made of the first eight bytes of the sha256 of the parts. A hash makes the results for neighbouring seeds
/// independent.
fn derive(parts: &[&str]) -> u64 {
    let digest = Sha256::digest(parts.join("\0").as_bytes());
    digest.iter().take(8).fold(0, |seed, byte| seed << 8 | u64::from(*byte))
}
