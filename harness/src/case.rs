//! A case: task x model x parameters x training size x seed x device, the unit of work, isolation, failure and resume.

use bakeoff_models::Resolved;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::meters::{EnergyConfig, IdleWindow};
use crate::tasks::OwnTask;

/// Everything a process needs to measure one cell of a comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Case {
    /// `task.label.n<train_size>.s<seed>.<device>`: also the name of its predictions file.
    pub id: String,
    /// The task's name.
    pub task: String,
    /// The task itself, if it is the user's and not built in: the child reads the same data.
    pub own: Option<OwnTask>,
    /// The model's name.
    pub model: String,
    /// The model's name in figures and tables.
    pub label: String,
    /// Complete and checked.
    pub params: Resolved,
    /// Rows to learn from, validation included.
    pub train_size: usize,
    /// The user's seed; the seeds in use are derived from it.
    pub seed: u64,
    /// Where the model computes.
    pub device: String,
    /// Processor threads it may use.
    pub threads: usize,
    /// Seconds after which it is ended.
    pub timeout_s: f64,
    /// Resident bytes at which it is ended.
    pub memory_limit_bytes: u64,
    /// Distinct examples whose single predictions are timed.
    pub latency_examples: usize,
    /// Whether splits with hidden targets are predicted too.
    pub predict_hidden: bool,
    /// Whether the fitted model is kept in the run's directory.
    pub keep_model: bool,
    /// Test rows in use: all, or a few for a trial.
    pub test_rows: Option<usize>,
    /// How energy is measured.
    pub energy: EnergyConfig,
    /// The idle machine before the run, where a meter told.
    pub idle: Option<IdleWindow>,
    /// Why the model cannot do the task, known before anything ran.
    pub unsupported: Option<String>,
}

impl Case {
    /// The identity of a case.
    pub fn id_of(task: &str, label: &str, train_size: usize, seed: u64, device: &str) -> String {
        format!("{task}.{label}.n{train_size}.s{seed}.{device}")
    }

    /// Chooses the rows to learn from, which are nested over training sizes, and those of them set aside for
    /// validation: the same for every model.
    pub fn rows_seed(&self) -> u64 {
        derive(&["rows", &self.task, &self.seed.to_string()])
    }

    /// The root of the model's own random choices.
    pub fn model_seed(&self) -> u64 {
        derive(&["model", &self.task, &self.model, &self.train_size.to_string(), &self.seed.to_string()])
    }
}

/// The first eight bytes of the sha256 of the parts, so that neighbouring seeds share nothing.
fn derive(parts: &[&str]) -> u64 {
    let digest = Sha256::digest(parts.join("\0").as_bytes());
    digest.iter().take(8).fold(0, |seed, byte| seed << 8 | u64::from(*byte))
}
