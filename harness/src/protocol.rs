//! The messages between parent and child: one line of JSON each.
//!
//! The parent writes a [`Request`] to the child's standard input and keeps it open. The child answers with [`Event`]s
//! on its standard output, and the last of them is the outcome. When standard input closes, the parent is gone and the
//! child ends.

use std::path::PathBuf;

use bakeoff_reports::RunDir;
use serde::{Deserialize, Serialize};

use crate::case::Case;
use crate::checkpoint::CheckpointPlace;
use crate::outcome::Outcome;
use crate::phase::Phase;

/// The parent's request.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Request {
    /// The case to measure.
    pub case: Case,
    /// A folder from which samples are read instead of the built-in ones.
    pub samples: Option<PathBuf>,
    /// The folder in which the fitted model is kept, if it is to be kept. It does not exist yet.
    pub keep: Option<PathBuf>,
    /// Where the fit is stored while it is under way, if the case belongs to a run.
    pub checkpoint: Option<CheckpointPlace>,
}

impl Request {
    /// The request for `case`, which belongs to the run in `run`, if any.
    pub fn new(case: &Case, samples: Option<&PathBuf>, run: Option<&RunDir>) -> Request {
        let keep = run.filter(|_| case.keep_model).map(|run| run.model_path(&case.id));
        let place = |run: &RunDir| CheckpointPlace { path: run.checkpoint_path(&case.id), every_s: case.checkpoint_s };
        Request { case: case.clone(), samples: samples.cloned(), keep, checkpoint: run.map(place) }
    }
}

/// The child's answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// A phase begins.
    Phase(Phase),
    /// The progress of a phase in steps.
    Progress {
        /// Steps done.
        done: usize,
        /// Steps in all.
        total: usize,
    },
    /// The outcome, which is the last event.
    Outcome(Box<Outcome>),
}
