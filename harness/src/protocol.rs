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
use crate::serving::ServingPlace;

/// The parent's request.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Request {
    /// The case to measure.
    pub case: Case,
    /// What the process does for the case.
    pub work: Work,
    /// A folder from which samples are read instead of the built-in ones.
    pub samples: Option<PathBuf>,
    /// Where the fitted model is saved, to be served. `None` for a case that is not served, such as a search trial.
    pub serving: Option<ServingPlace>,
    /// Where the fit is stored while it is under way, if the case belongs to a run.
    pub checkpoint: Option<CheckpointPlace>,
    /// The seconds of the case's time-out that its earlier processes have used.
    pub spent_s: f64,
    /// Whether the process does nothing else. If not, its peak memory is not that of its work.
    pub alone: bool,
    /// The seconds that a phase of predictions lasts at least, so that the meters of the run can tell its joules. 0 if none is read.
    pub phase_s: f64,
}

/// What a process does for a case. A case that is served has a process for each of the first three, in this order. `check` has one for the
/// last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Work {
    /// Fits the model, scores it and saves it.
    Fit,
    /// Loads the saved model from the disk, and ends.
    LoadCold,
    /// Loads the saved model, and predicts.
    Serve,
    /// Fits the model, and checks what every model promises.
    Conform,
}

impl Request {
    /// The request for the fit of `case`, which belongs to the run in `run`, if any. The model is not saved.
    pub fn new(case: &Case, samples: Option<&PathBuf>, run: Option<&RunDir>) -> Request {
        let place = |run: &RunDir| CheckpointPlace { path: run.checkpoint_path(&case.id), every_s: case.checkpoint_s };
        Request {
            case: case.clone(),
            work: Work::Fit,
            samples: samples.cloned(),
            serving: None,
            checkpoint: run.map(place),
            spent_s: 0.0,
            alone: true,
            phase_s: 0.0,
        }
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
    /// A promise that the model breaks, in a sentence.
    BrokenPromise(String),
    /// The outcome, which is the last event.
    Outcome(Box<Outcome>),
}

/// When a phase began and ended, on the clock that both processes share. The parent finds the joules of its meters by it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PhaseWindow {
    /// The phase.
    pub phase: Phase,
    /// Further conditions of the phase, as in [`crate::outcome::MetricValue`].
    pub conditions: String,
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
