//! A case: task x model x parameters x training size x seed x device. It is the unit of work, isolation, failure and
//! resume. A search trial is a case too.

use bakeoff_models::{Device, External, ModelEntry, Resolved};
use bakeoff_reports::percent;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::budget::Budget;
use crate::load::LatencyConfig;
use crate::machine::Peak;
use crate::meters::EnergyConfig;
use crate::noise::NoiseLimits;
use crate::tasks::OwnTask;

/// Everything that a process needs to measure one cell of a comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Case {
    /// `task.label.n<train_size>[.noise<percent>].s<seed>[.r<repeat>f<fold>][.t<trial>].<device>`: also the name of its
    /// predictions file, so the device `cuda:1` is `cuda-1` there.
    pub id: String,
    /// The task's name.
    pub task: String,
    /// The task itself, if it is the user's own. The child needs it to read the same data. `None` for a built-in task.
    pub own: Option<OwnTask>,
    /// The model's name.
    pub model: String,
    /// The model itself, if it is a program of the user's. `None` for a built-in model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external: Option<External>,
    /// The model's name in figures and tables.
    pub label: String,
    /// The model's parameters, complete and checked. A case that waits for search trials has the parameters as they
    /// are written until its own are known.
    pub params: Resolved,
    /// Rows to learn from, validation included; with a fold, the rows that are divided into folds.
    pub train_size: usize,
    /// The share of the training labels that is made wrong.
    pub label_noise: f64,
    /// The user's seed; the seeds in use are derived from it.
    pub seed: u64,
    /// The part of a cross-validation; `None` if the case is scored on the test rows.
    pub fold: Option<Fold>,
    /// Which search trial it is, from 1; `None` if the case is scored.
    pub trial: Option<usize>,
    /// The search trials that must have ended before the case begins, those numbered 1 up to this, because its parameters
    /// follow from them. 0 if its parameters are planned.
    pub waits_for: usize,
    /// A search trial learns from one row in so many of those that it may learn from; 1 for all of them.
    pub row_divisor: usize,
    /// Where the model computes.
    pub device: String,
    /// The address of the graphics card on the bus, looked up before the run. `None` for the processor, and if the driver does not say.
    pub card: Option<String>,
    /// How many processor threads the case may use.
    pub threads: usize,
    /// Seconds after which the case is ended.
    pub timeout_s: f64,
    /// What the fit may cost; `None` if the model decides.
    pub budget: Option<Budget>,
    /// Seconds of a fit between two checkpoints.
    pub checkpoint_s: f64,
    /// Bytes of resident memory at which the case is ended.
    pub memory_limit_bytes: u64,
    /// How many distinct examples the latency measurement predicts one at a time.
    pub latency_examples: usize,
    /// Which scenarios are measured, and for how long.
    pub latency: LatencyConfig,
    /// Whether splits with hidden targets are predicted too.
    pub predict_hidden: bool,
    /// Whether the fitted model is saved in the run's directory.
    pub keep_model: bool,
    /// A score on validation rows, by the task's primary metric, the time to which is measured.
    pub target: Option<f64>,
    /// Whether training rows are scored too.
    pub train_score: bool,
    /// How many test rows are used. `None` for all; a short pass uses a few.
    pub test_rows: Option<usize>,
    /// How energy is measured.
    pub energy: EnergyConfig,
    /// Above which noise a measurement is repeated, and marked if that does not help.
    pub noise: NoiseLimits,
    /// What the machine can do at most on the case's threads, measured before the run. `None` if it could not be measured.
    pub peak: Option<Peak>,
    /// Why the model cannot do the task, if that was known before anything ran.
    pub unsupported: Option<String>,
}

/// One fold of a cross-validation: its rows are scored, and the model learns from those of the other folds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fold {
    /// Its number, from 1.
    pub fold: usize,
    /// How many folds there are.
    pub folds: usize,
    /// Which of the divisions of the rows, from 1.
    pub repeat: usize,
}

impl Case {
    /// The graphics card that the case needs for itself: its address, which two kinds of devices may share, or else the name of the
    /// device. `None` for the processor.
    pub fn exclusive_card(&self) -> Option<&str> {
        let is_card = self.device != Device::Cpu.name();
        is_card.then(|| self.card.as_deref().unwrap_or(&self.device))
    }

    /// The identity of the case, which follows from its fields.
    pub fn id_of(&self) -> String {
        self.id_with(self.trial)
    }

    /// The identity of the case that a search trial is for.
    pub fn scored_id(&self) -> String {
        self.id_with(None)
    }

    fn id_with(&self, trial: Option<usize>) -> String {
        let Case { task, label, train_size, label_noise, seed, fold, device, .. } = self;
        // A point would end the part of the id.
        let noise = match label_noise {
            0.0 => String::new(),
            share => format!(".noise{}", percent(*share).replace('.', "_")),
        };
        let fold = fold.map_or(String::new(), |Fold { fold, repeat, .. }| format!(".r{repeat}f{fold}"));
        let trial = trial.map_or(String::new(), |trial| format!(".t{trial}"));
        // It is the name of files too.
        let device = device.replace(':', "-");
        format!("{task}.{label}.n{train_size}{noise}.s{seed}{fold}{trial}.{device}")
    }

    /// The rows that the case is given to learn from, validation included.
    pub fn given_rows(&self) -> usize {
        let of_fold =
            |Fold { fold, folds, .. }: Fold| self.train_size / folds + usize::from(fold <= self.train_size % folds);
        self.train_size - self.fold.map_or(0, of_fold)
    }

    /// The training rows without targets that the case, a case of `model`, is given beside those. A search trial on a part of the
    /// rows has the same part of these.
    pub fn unlabelled_rows(&self, model: &dyn ModelEntry) -> usize {
        model.unlabelled(&self.params) / self.row_divisor
    }

    /// The target by which the fit is judged. A search trial has none, because it is scored on validation rows anyway.
    pub fn judged_by(&self) -> Option<f64> {
        self.target.filter(|_| self.trial.is_none())
    }

    /// Divides the rows into folds: the same for every model and seed.
    pub fn folds_seed(&self) -> u64 {
        derive(&["folds", &self.task, &self.fold.map_or(0, |fold| fold.repeat).to_string()])
    }

    /// Chooses the labels that are made wrong: the same for every model, nested over shares.
    pub fn noise_seed(&self) -> u64 {
        derive(&["noise", &self.task, &self.seed.to_string()])
    }

    /// The seed that draws the rows. Every model gets the same rows. The rows of a smaller training size are among those of
    /// a larger one. With folds, every seed gets the same rows too, because the scores of a fold are compared over seeds.
    pub fn draw_seed(&self) -> u64 {
        if self.fold.is_some() { derive(&["rows", &self.task]) } else { self.rows_seed() }
    }

    /// The seed that chooses which rows are set aside for validation.
    pub fn rows_seed(&self) -> u64 {
        derive(&["rows", &self.task, &self.seed.to_string()])
    }

    /// The seed that draws the unlabelled rows: the same for every model and size, and with folds for every seed too.
    pub fn unlabelled_seed(&self) -> u64 {
        match self.fold {
            Some(_) => derive(&["unlabelled", &self.task]),
            None => derive(&["unlabelled", &self.task, &self.seed.to_string()]),
        }
    }

    /// The seed of the choice of a search trial's parameter by the search trials before it.
    pub fn choice_seed(&self, parameter: &str, draw: usize) -> u64 {
        derive(&["choice", &self.id_of(), parameter, &draw.to_string()])
    }

    /// The place in its range, in 0..1, of a search trial's parameter. Each parameter and draw has a number of its own, so
    /// another range changes no other parameter.
    pub fn search_share(&self, parameter: &str, draw: usize) -> f64 {
        let bits = derive(&["search", &self.id_of(), parameter, &draw.to_string()]);
        (bits >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// The seed of the arrivals of queries: the same for every model.
    pub fn arrivals_seed(&self) -> u64 {
        derive(&["arrivals", &self.task, &self.seed.to_string()])
    }

    /// The seed from which the model derives its own random choices. It is the same in all search trials of a case.
    pub fn model_seed(&self) -> u64 {
        let (size, seed) = (self.train_size.to_string(), self.seed.to_string());
        let mut parts = vec!["model", &self.task, &self.model, &size, &seed];
        let fold = self.fold.map(|Fold { fold, repeat, .. }| format!("{repeat} {fold}"));
        parts.extend(fold.as_deref());
        derive(&parts)
    }
}

/// A seed made of the first eight bytes of the sha256 of the parts. A hash makes the results for neighbouring seeds
/// independent.
fn derive(parts: &[&str]) -> u64 {
    let digest = Sha256::digest(parts.join("\0").as_bytes());
    digest.iter().take(8).fold(0, |seed, byte| seed << 8 | u64::from(*byte))
}
