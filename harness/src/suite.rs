//! Suite files: TOML files in which a user says what to run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bakeoff_models::unknown_name;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::budget::Budget;
use crate::meters::EnergyConfig;
use crate::noise::NoiseLimits;

mod data;
mod latency;
mod one_or_more;
mod search;
mod slurm;
mod syntax;

pub use data::DataEntry;
pub use latency::LatencyEntry;
pub use one_or_more::OneOrMore;
pub use search::SearchEntry;
pub use slurm::{SlurmEntry, SlurmSettings};

/// The suites that ship with the program: name and text.
pub const BUILT_IN: &[(&str, &str)] = &[
    ("smoke", include_str!("../suites/smoke.toml")),
    ("quick", include_str!("../suites/quick.toml")),
    ("claims-quick", include_str!("../suites/claims-quick.toml")),
    ("standard", include_str!("../suites/standard.toml")),
    ("claims", include_str!("../suites/claims.toml")),
    ("pretrained", include_str!("../suites/pretrained.toml")),
    ("hybrids", include_str!("../suites/hybrids.toml")),
    ("generative", include_str!("../suites/generative.toml")),
    ("compress", include_str!("../suites/compress.toml")),
    ("threads", include_str!("../suites/threads.toml")),
    ("devices-quick", include_str!("../suites/devices-quick.toml")),
    ("devices", include_str!("../suites/devices.toml")),
    ("sequence-length", include_str!("../suites/sequence-length.toml")),
    ("paper", include_str!("../suites/paper.toml")),
];

/// A suite as it is written. Every value that can be wrong keeps its place in the text, so that messages can name it.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Suite {
    /// The name, which is part of the run's directory name.
    pub name: Spanned<String>,
    /// What the suite is for, in one line.
    #[serde(default)]
    pub about: String,
    /// The seeds. Every case runs once for each.
    #[serde(default = "one_seed")]
    pub seeds: Spanned<Vec<Spanned<u64>>>,
    /// The devices. Every case runs once on each. If not given, the processor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub devices: Option<Spanned<Vec<Spanned<String>>>>,
    /// A single device. Suites were written so before there were lists of devices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<Spanned<String>>,
    /// What carries out the cases. If not given, processes on this machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub executor: Option<ExecutorKind>,
    /// Seconds after which a case is ended.
    #[serde(default = "ten_minutes")]
    pub timeout_s: Spanned<f64>,
    /// What each fit may cost. A model that can always learn more then learns until it is used up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<Spanned<Budget>>,
    /// Seconds of a fit between two checkpoints, from which `resume` goes on. One is written at the end of an epoch.
    #[serde(default = "one_minute")]
    pub checkpoint_s: Spanned<f64>,
    /// Resident memory, in GiB, at which a case is ended.
    #[serde(default = "four_gib")]
    pub memory_limit_gib: Spanned<f64>,
    /// How many distinct examples the latency measurement predicts one at a time. If there are fewer examples, all of
    /// them.
    #[serde(default = "two_hundred")]
    pub latency_examples: Spanned<usize>,
    /// Whether splits with hidden targets, such as GLUE's test files, are predicted too, for `data export-glue`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub predict_hidden: bool,
    /// Whether fitted models are kept in the run's directory.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keep_models: bool,
    /// Whether training rows are scored too, after the fit.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub train_score: bool,
    /// How many cases run at a time. Several cases disturb each other's times, so more than one is for quality only.
    #[serde(default = "one")]
    pub jobs: Spanned<usize>,
    /// How many processor threads each case has. If not given, the jobs share all processors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threads: Option<Spanned<usize>>,
    /// How latency and throughput are measured.
    #[serde(default, skip_serializing_if = "LatencyEntry::is_empty")]
    pub latency: LatencyEntry,
    /// How energy is measured.
    #[serde(default)]
    pub energy: EnergyEntry,
    /// What a Slurm cluster is asked for, if it carries out the cases.
    #[serde(default, skip_serializing_if = "SlurmEntry::is_empty")]
    pub slurm: SlurmEntry,
    /// Above which noise a measurement is repeated, and marked if that does not help.
    #[serde(default, skip_serializing_if = "NoiseEntry::is_empty")]
    pub noise: NoiseEntry,
    /// How parameters are searched for; they stay as they are written if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<Spanned<SearchEntry>>,
    /// The tasks.
    #[serde(default, rename = "task")]
    pub tasks: Vec<TaskEntry>,
    /// The models.
    #[serde(default, rename = "model")]
    pub models: Vec<ModelEntryWire>,
}

/// What carries out the cases of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum ExecutorKind {
    /// Processes on this machine
    Process,
    /// Tasks of a Slurm cluster
    Slurm,
}

/// The table `[energy]` of a suite.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct EnergyEntry {
    /// The meters that are read; the first that is readable if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meters: Option<Spanned<Vec<Spanned<String>>>>,
    /// Whether to estimate joules if no meter is readable.
    pub estimate: bool,
    /// Watts of one busy core, for the estimate.
    pub watts_per_core: Spanned<f64>,
    /// Grams of CO2e of a kilowatt hour from the grid, for the report.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grams_per_kwh: Option<Spanned<f64>>,
    /// Which grid that is, and the source of the number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grid: Option<Spanned<String>>,
}

impl Default for EnergyEntry {
    fn default() -> EnergyEntry {
        let EnergyConfig { estimate, watts_per_core, .. } = EnergyConfig::default();
        let watts_per_core = not_written(watts_per_core);
        EnergyEntry { meters: None, estimate, watts_per_core, grams_per_kwh: None, grid: None }
    }
}

impl EnergyEntry {
    /// The settings without their places.
    pub fn config(&self) -> EnergyConfig {
        let names = self.meters.iter().flat_map(|meters| meters.as_ref());
        EnergyConfig {
            meters: names.map(|name| name.as_ref().clone()).collect(),
            estimate: self.estimate,
            watts_per_core: *self.watts_per_core.as_ref(),
        }
    }
}

/// The table `[noise]` of a suite.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct NoiseEntry {
    /// The largest share of processor time that a hypervisor may give to other machines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_steal: Option<Spanned<f64>>,
    /// The most involuntary context switches a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_involuntary_per_s: Option<Spanned<f64>>,
    /// The most processors that other programs may keep busy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_load: Option<Spanned<f64>>,
}

impl NoiseEntry {
    fn is_empty(&self) -> bool {
        self.limits() == NoiseLimits::default()
    }

    /// The limits without their places.
    pub fn limits(&self) -> NoiseLimits {
        let value = |limit: &Option<Spanned<f64>>| limit.as_ref().map(|limit| *limit.as_ref());
        NoiseLimits {
            steal: value(&self.max_steal),
            involuntary_per_s: value(&self.max_involuntary_per_s),
            load: value(&self.max_load),
        }
    }
}

/// One `[[task]]` of a suite.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TaskEntry {
    /// The name of a built-in task. If there is `data`, a name of the user's choice.
    pub name: Spanned<String>,
    /// Rows to learn from, validation rows included; all training rows if not given. Every case runs once for each size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub train_size: Option<Spanned<OneOrMore<usize>>>,
    /// Shares of the training labels that are made wrong. Every case runs once for each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label_noise: Option<Spanned<OneOrMore<f64>>>,
    /// Folds of a cross-validation on the training rows, in place of the test rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folds: Option<Spanned<usize>>,
    /// Which of the folds are scored; all of them if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fold: Option<Spanned<OneOrMore<usize>>>,
    /// How often the rows are divided into folds anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeats: Option<Spanned<usize>>,
    /// A score on validation rows, by the primary metric. The time to it is measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Spanned<f64>>,
    /// With `data`: one line on the task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<Spanned<String>>,
    /// With `data`: the primary metric.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<Spanned<String>>,
    /// With `data`: the unit of the numbers to be predicted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Spanned<String>>,
    /// The user's own data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<DataEntry>,
}

/// Parameters as written, each name and value with its place in the text.
pub type Params = BTreeMap<Spanned<String>, Spanned<toml::Value>>;

/// One `[[model]]` of a suite.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ModelEntryWire {
    /// The name of a built-in model. If there is a `command`, a name of the user's choice.
    pub name: Spanned<String>,
    /// A program that is the model, and its arguments. It speaks the protocol of docs/protocol.md.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<Spanned<Vec<Spanned<String>>>>,
    /// With `command`: the version of the method. If not given, the program says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Spanned<String>>,
    /// With `command`: further files that the program is made of, whose checksums are part of its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<Spanned<Vec<Spanned<String>>>>,
    /// With `command`: the working directory of the program. If not given, the folder of the suite's file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<Spanned<String>>,
    /// With `command`: the seconds that the program may take until it says what it is; 60 if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_s: Option<Spanned<f64>>,
    /// The name in case ids, figures and tables. If not given, the model's name. It is needed to run a model twice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<Spanned<String>>,
    /// The names of the suite's tasks that this model runs on. If not given, all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tasks: Option<Spanned<Vec<Spanned<String>>>>,
    /// How many processor threads each of its cases has, in place of the suite's number. Its models then need labels of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threads: Option<Spanned<usize>>,
    /// Parameters for every task.
    #[serde(default)]
    pub params: Params,
    /// Parameters with several values each: the plan makes a model of every combination.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub grid: BTreeMap<Spanned<String>, Spanned<Vec<Spanned<toml::Value>>>>,
    /// The label of the entry whose grid made this one, which filters accept for all of its models.
    #[serde(skip)]
    pub grid_of: Option<String>,
    /// Ranges of parameters for a search, which replace the declared ones: the lowest and the highest number, or a choice.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub search: BTreeMap<Spanned<String>, Spanned<Vec<Spanned<toml::Value>>>>,
    /// Parameters for one task, which replace those in `params`.
    #[serde(default)]
    pub on: BTreeMap<Spanned<String>, Params>,
}

impl ModelEntryWire {
    /// Whether the model runs on the task of this name, which is one of the suite.
    pub fn runs_on(&self, task: &str) -> bool {
        self.tasks.as_ref().is_none_or(|tasks| tasks.as_ref().iter().any(|name| name.as_ref() == task))
    }
}

/// A value that is not written in the suite: a default, or one from the command line.
pub(crate) fn not_written<T>(value: T) -> Spanned<T> {
    Spanned::new(0..0, value)
}

fn one_seed() -> Spanned<Vec<Spanned<u64>>> {
    not_written(vec![not_written(1)])
}

fn ten_minutes() -> Spanned<f64> {
    not_written(600.0)
}

fn one_minute() -> Spanned<f64> {
    not_written(60.0)
}

fn four_gib() -> Spanned<f64> {
    not_written(4.0)
}

fn one() -> Spanned<usize> {
    not_written(1)
}

fn two_hundred() -> Spanned<usize> {
    not_written(200)
}

/// A suite's text and its origin, for messages that name file, line and column.
#[derive(Debug, Clone)]
pub struct Source {
    /// A path, or `built-in suite quick`.
    pub origin: String,
    /// The text.
    pub text: String,
    /// The folder at which relative paths in the text start.
    pub folder: PathBuf,
}

/// A fault in a suite.
#[derive(Debug, thiserror::Error)]
pub enum SuiteError {
    /// There is neither such a built-in suite nor such a file.
    #[error("{}; the path of a suite file (.toml) is accepted too", unknown_name("suite", name, known))]
    Unknown {
        /// What was asked for.
        name: String,
        /// All built-in names.
        known: Vec<&'static str>,
    },
    /// The file cannot be read.
    #[error("cannot read suite {}: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        error: std::io::Error,
    },
    /// The text is not a suite, or a name or value in it cannot be used.
    #[error("{origin}:{line}:{column}: {message}")]
    Fault {
        /// Where the text comes from.
        origin: String,
        /// Counted from 1.
        line: usize,
        /// The character in the line, counted from 1.
        column: usize,
        /// What is wrong and what to write instead.
        message: String,
    },
}

impl Source {
    /// Finds the text of a built-in suite by name, or of a file by path.
    ///
    /// # Errors
    /// If there is neither, or if the file cannot be read.
    pub fn find(name: &str) -> Result<Source, SuiteError> {
        if let Some((_, text)) = BUILT_IN.iter().find(|(known, _)| *known == name) {
            return Ok(Source {
                origin: format!("built-in suite {name}"),
                text: (*text).to_owned(),
                folder: PathBuf::new(),
            });
        }
        let path = Path::new(name);
        if !path.exists() && path.extension().is_none() {
            let known = BUILT_IN.iter().map(|(known, _)| *known).collect();
            return Err(SuiteError::Unknown { name: name.to_owned(), known });
        }
        let unreadable = |error| SuiteError::Unreadable { path: path.to_owned(), error };
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        let mut folder = std::path::absolute(path).map_err(unreadable)?;
        folder.pop();
        Ok(Source { origin: name.to_owned(), text, folder })
    }

    /// Reads the suite in the text.
    ///
    /// # Errors
    /// If the text is not a suite. The error names line and column.
    pub fn parse(&self) -> Result<Suite, SuiteError> {
        toml::from_str(&self.text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
            self.fault_at(start, syntax::in_plain_words(error.message()))
        })
    }

    /// A fault at a place in the text.
    pub fn fault<T>(&self, at: &Spanned<T>, message: impl Into<String>) -> SuiteError {
        self.fault_at(at.span().start, message)
    }

    /// A fault at a byte of the text.
    pub fn fault_at(&self, start: usize, message: impl Into<String>) -> SuiteError {
        let before = self.text.get(..start).unwrap_or(&self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        SuiteError::Fault {
            origin: self.origin.clone(),
            line: 1 + before.matches('\n').count(),
            column: 1 + before[line_start..].chars().count(),
            message: message.into(),
        }
    }
}
