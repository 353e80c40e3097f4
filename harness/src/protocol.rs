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
    /// The seconds that a predict phase lasts at least, so that the meters of the run can tell its joules. 0 if none is read.
    pub phase_s: f64,
}

impl Request {
    /// The request for `case`, which belongs to the run in `run`, if any.
    pub fn new(case: &Case, samples: Option<&PathBuf>, run: Option<&RunDir>) -> Request {
        let keep = run.filter(|_| case.keep_model).map(|run| run.model_path(&case.id));
        let place = |run: &RunDir| CheckpointPlace { path: run.checkpoint_path(&case.id), every_s: case.checkpoint_s };
        Request { case: case.clone(), samples: samples.cloned(), keep, checkpoint: run.map(place), phase_s: 0.0 }
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
    /// A phase whose joules are counted has ended.
    Window(PhaseWindow),
    /// The outcome, which is the last event.
    Outcome(Box<Outcome>),
}

/// When a phase began and ended, on the clock that both processes share. The parent finds the joules of its meters by it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PhaseWindow {
    /// The phase.
    pub phase: Phase,
    /// Nanoseconds of CLOCK_MONOTONIC.
    pub start_ns: u64,
    /// Nanoseconds of CLOCK_MONOTONIC.
    pub end_ns: u64,
    /// Predictions that were made in it; 1 for a fit.
    pub count: usize,
    /// What a fit had cost in the processes before this one.
    pub earlier: EarlierParts,
}

/// The parts of a fit that earlier processes did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EarlierParts {
    /// How many.
    pub parts: usize,
    /// Their seconds.
    pub seconds: f64,
    /// Their joules, by the meter that every case has joules from, or why they are not known.
    pub joules: Result<f64, String>,
}

impl EarlierParts {
    /// Of a phase that one process did.
    pub fn none() -> EarlierParts {
        EarlierParts { parts: 0, seconds: 0.0, joules: Ok(0.0) }
    }
}
