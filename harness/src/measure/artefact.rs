//! Saves the fitted model, to measure its size and to serve it. No stopwatch runs meanwhile.

use std::fs;
use std::io;
use std::path::Path;

use bakeoff_datasets::Inputs;
use bakeoff_models::{Model, ModelError};
use bakeoff_reports::{FittedTask, model_bytes_in};

use super::serve::of_serving;
use super::{Bench, Stop};
use crate::outcome::NOT_SERVED;
use crate::phase::Phase;
use crate::serving::{ServingPlace, make_folder, write_inputs};
use crate::tasks;

/// Why a model was not saved.
enum Unsaved {
    /// The model cannot be saved, here or anywhere.
    Refused(String),
    /// A file could not be written.
    Unwritten(String),
}

impl From<ModelError> for Unsaved {
    fn from(error: ModelError) -> Unsaved {
        let reason = error.to_string();
        if matches!(error, ModelError::Artefact { .. }) { Unsaved::Unwritten(reason) } else { Unsaved::Refused(reason) }
    }
}

impl Bench<'_> {
    /// Saves the fitted model for the process that serves it, with the inputs of the test rows and, for an audit, with inputs that it
    /// has never predicted. If the model cannot be saved, nothing is served, every number of it is empty with the reason, and what was
    /// measured of the fit stands.
    ///
    /// # Errors
    /// If a file cannot be written, as on a full disk. The numbers of serving are empty then too, and another attempt may end differently.
    pub(super) fn hand_over(
        &mut self,
        model: &dyn Model,
        test: &Inputs,
        unseen: Option<&Inputs>,
        place: &ServingPlace,
    ) -> Result<(), Stop> {
        let keep = self.case.keep_model;
        let task = keep.then(|| FittedTask::new(tasks::info(self.task)));
        let saved = save_in(&place.artefact, model, task.as_ref());
        match &saved {
            Ok(bytes) => self.record(Phase::Case, "model_bytes", Some(*bytes as f64), "model", ""),
            Err(Unsaved::Refused(reason) | Unsaved::Unwritten(reason)) => {
                self.record(Phase::Case, "model_bytes", None, "model", reason.as_str());
            }
        }
        let ready = saved.and_then(|_| {
            let written = write_inputs(&place.inputs, test)
                .and_then(|()| unseen.map_or(Ok(()), |unseen| write_inputs(&place.unseen, unseen)));
            written.map_err(Unsaved::Unwritten)
        });
        let Err(unsaved) = ready else { return Ok(()) };
        // Without the inputs of the test rows, no further process begins.
        let _ = fs::remove_file(&place.inputs);
        let (reason, ended) = match unsaved {
            Unsaved::Refused(reason) => {
                let reason = format!("the model could not be saved: {reason}");
                let not = if keep { "neither kept nor served" } else { "not served" };
                self.outcome.remark(&format!("the model was {not}: {reason}"));
                (reason, Ok(()))
            }
            Unsaved::Unwritten(reason) => {
                let stop = Stop::failed(format!("{NOT_SERVED}: {reason}"));
                (reason, Err(stop))
            }
        };
        for (phase, metric, source) in of_serving(&self.case.latency) {
            self.record(phase, metric, None, source, reason.as_str());
        }
        ended
    }
}

/// Saves a model beside its place, with the task that it has learned if it is kept, and then moves it there, so that a model in its
/// place is complete. Returns its size in bytes.
fn save_in(place: &Path, model: &dyn Model, task: Option<&FittedTask>) -> Result<u64, Unsaved> {
    let models = place.parent().unwrap_or(Path::new("."));
    // Not the folders above it: a run that was moved or removed meanwhile is not made again.
    make_folder(models).map_err(|error| unwritten(models, &error))?;
    // Hidden, so that the recorder recognises what a killed process left behind.
    let beside = tempfile::Builder::new().prefix(".").tempdir_in(models).map_err(|error| unwritten(models, &error))?;
    let saved = beside.path().join("model");
    model.save(&saved)?;
    let bytes = model_bytes_in(&saved)
        .map_err(|error| Unsaved::Unwritten(format!("failed to read {}: {error}", saved.display())))?;
    if let Some(task) = task {
        task.write(&saved).map_err(|error| Unsaved::Unwritten(error.to_string()))?;
    }
    fs::rename(&saved, place).map_err(|error| unwritten(place, &error))?;
    Ok(bytes)
}

fn unwritten(path: &Path, error: &io::Error) -> Unsaved {
    Unsaved::Unwritten(format!("failed to write to {}: {error}", path.display()))
}
