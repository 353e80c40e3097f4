//! Suite files: what a user asks to be run, as TOML, and its checked form.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bakeoff_models::did_you_mean;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::meters::EnergyConfig;

mod data;

pub use data::DataEntry;

/// The suites that ship with the program: name and text.
pub const BUILT_IN: &[(&str, &str)] = &[
    ("smoke", include_str!("../suites/smoke.toml")),
    ("quick", include_str!("../suites/quick.toml")),
    ("standard", include_str!("../suites/standard.toml")),
    ("paper", include_str!("../suites/paper.toml")),
];

/// A suite as written, with every name's place in the text kept for error messages.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Suite {
    /// Its name, part of the run's directory name.
    pub name: Spanned<String>,
    /// What it is for, in a line.
    #[serde(default)]
    pub about: String,
    /// Every case runs once for each.
    #[serde(default = "one_seed")]
    pub seeds: Vec<u64>,
    /// Where the models compute.
    #[serde(default = "cpu")]
    pub device: Spanned<String>,
    /// Seconds after which a case is ended.
    #[serde(default = "ten_minutes")]
    pub timeout_s: f64,
    /// Resident bytes, in GiB, at which a case is ended.
    #[serde(default = "four_gib")]
    pub memory_limit_gib: f64,
    /// Distinct examples whose single predictions are timed; those that exist if there are fewer.
    #[serde(default = "two_hundred")]
    pub latency_examples: usize,
    /// Whether splits with hidden targets, as GLUE's test files, are predicted too, for `data export-glue`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub predict_hidden: bool,
    /// Cases at a time. More than one disturbs each other's times: for quality only.
    #[serde(default = "one")]
    pub jobs: usize,
    /// Processor threads of each case; all processors, shared by the jobs, if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threads: Option<usize>,
    /// How energy is measured.
    #[serde(default)]
    pub energy: EnergyConfig,
    /// The tasks.
    #[serde(default, rename = "task")]
    pub tasks: Vec<TaskEntry>,
    /// The models.
    #[serde(default, rename = "model")]
    pub models: Vec<ModelEntryWire>,
}

/// One `[[task]]` of a suite.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TaskEntry {
    /// A registered task, or with `data` a name of the user's choice.
    pub name: Spanned<String>,
    /// Rows to learn from, validation included; all there are if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub train_size: Option<Spanned<usize>>,
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

/// Parameters as written: name to value, both with their place in the text.
pub type Params = BTreeMap<Spanned<String>, Spanned<toml::Value>>;

/// One `[[model]]` of a suite.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ModelEntryWire {
    /// A registered model.
    pub name: Spanned<String>,
    /// Its name in case ids, figures and tables; the model's name if not given. Needed to run one model twice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<Spanned<String>>,
    /// Parameters for every task.
    #[serde(default)]
    pub params: Params,
    /// Parameters for one task, laid over `params`.
    #[serde(default)]
    pub on: BTreeMap<Spanned<String>, Params>,
}

fn one_seed() -> Vec<u64> {
    vec![1]
}

fn cpu() -> Spanned<String> {
    Spanned::new(0..0, "cpu".to_owned())
}

fn ten_minutes() -> f64 {
    600.0
}

fn four_gib() -> f64 {
    4.0
}

fn one() -> usize {
    1
}

fn two_hundred() -> usize {
    200
}

/// A suite's text and where it comes from, to say file and line of a fault.
#[derive(Debug, Clone)]
pub struct Source {
    /// A path, or `built-in suite quick`.
    pub origin: String,
    /// The text.
    pub text: String,
    /// Where relative paths in it start.
    pub folder: PathBuf,
}

/// A fault in a suite: origin, line, what is wrong and what to write instead.
#[derive(Debug, thiserror::Error)]
pub enum SuiteError {
    /// No such built-in suite and no such file.
    #[error("no suite '{name}'{near} Give a built-in suite ({known}) or the path of a suite file (.toml)")]
    Unknown {
        /// What was asked for.
        name: String,
        /// A closer name, or the end of the sentence.
        near: String,
        /// All built-in names.
        known: String,
    },
    /// The file cannot be read.
    #[error("cannot read suite {}: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The text is not a suite.
    #[error("{origin}: {message}")]
    Syntax {
        /// Where the text comes from.
        origin: String,
        /// The parser's message, with line and column.
        message: String,
    },
    /// A name or value that cannot be used.
    #[error("{origin}:{line}: {message}")]
    Content {
        /// Where the text comes from.
        origin: String,
        /// Counted from 1.
        line: usize,
        /// What is wrong and what to write instead.
        message: String,
    },
}

impl Source {
    /// The text of a built-in suite by name, or of a file by path.
    ///
    /// # Errors
    /// If there is neither, or the file cannot be read.
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
            let known: Vec<_> = BUILT_IN.iter().map(|(known, _)| *known).collect();
            let near = did_you_mean(name, known.iter().copied());
            return Err(SuiteError::Unknown {
                name: name.to_owned(),
                near: if near.is_empty() { ".".to_owned() } else { near },
                known: known.join(", "),
            });
        }
        let unreadable = |error| SuiteError::Unreadable { path: path.to_owned(), error };
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        let mut folder = std::path::absolute(path).map_err(unreadable)?;
        folder.pop();
        Ok(Source { origin: name.to_owned(), text, folder })
    }

    /// The suite in the text.
    ///
    /// # Errors
    /// On anything that is not a suite, with line and column.
    pub fn parse(&self) -> Result<Suite, SuiteError> {
        toml::from_str(&self.text).map_err(|error| SuiteError::Syntax {
            origin: self.origin.clone(),
            message: error.to_string().trim_end().to_owned(),
        })
    }

    /// A fault at a place in the text.
    pub fn fault<T>(&self, at: &Spanned<T>, message: impl Into<String>) -> SuiteError {
        self.fault_at(at.span().start, message)
    }

    /// A fault at a byte of the text.
    pub fn fault_at(&self, start: usize, message: impl Into<String>) -> SuiteError {
        let end = start.min(self.text.len());
        let line = 1 + self.text.as_bytes()[..end].iter().filter(|byte| **byte == b'\n').count();
        SuiteError::Content { origin: self.origin.clone(), line, message: message.into() }
    }

    /// A fault in the setting `key`, at the first line that sets it.
    pub fn fault_of(&self, key: &str, message: &str) -> SuiteError {
        let sets = |line: &str| {
            line.trim_start().strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with('='))
                || line.contains(&format!("{key} ="))
        };
        let line = 1 + self.text.lines().position(sets).unwrap_or(0);
        SuiteError::Content { origin: self.origin.clone(), line, message: message.to_owned() }
    }
}
