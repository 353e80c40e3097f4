//! What parent and child say to each other: one line of JSON each.
//!
//! The parent writes a [`Request`] to the child's standard input and holds it open. The child answers with [`Event`]s
//! on its standard output, and the last of them is the outcome. When standard input closes, the parent is gone and the
//! child ends.

use std::path::PathBuf;

use bakeoff_reports::RunDir;
use serde::{Deserialize, Serialize};

use crate::case::Case;
use crate::outcome::Outcome;
use crate::phase::Phase;

/// What the parent asks for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Request {
    /// The case to measure.
    pub case: Case,
    /// A folder of samples to read in place of the built-in ones.
    pub samples: Option<PathBuf>,
    /// The folder to keep the fitted model in, if it is to be kept. It does not exist yet.
    pub keep: Option<PathBuf>,
}

impl Request {
    /// The request for `case` of the run in `run`, if it is one of a run.
    pub fn new(case: &Case, samples: Option<&PathBuf>, run: Option<&RunDir>) -> Request {
        let keep = run.filter(|_| case.keep_model).map(|run| run.model_path(&case.id));
        Request { case: case.clone(), samples: samples.cloned(), keep }
    }
}

/// What the child answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// A phase begins.
    Phase(Phase),
    /// Steps of the phase.
    Progress {
        /// Steps done.
        done: usize,
        /// Steps in all.
        total: usize,
    },
    /// The end.
    Outcome(Box<Outcome>),
}
