//! Saves the fitted model, to measure its size and to serve it. No stopwatch runs meanwhile.

use std::fs;
use std::io;
use std::path::Path;

use bakeoff_datasets::Inputs;
use bakeoff_models::Model;
use bakeoff_reports::{FittedTask, model_bytes_in};

use super::Bench;
use super::serve::of_serving;
use crate::phase::Phase;
use crate::serving::{ServingPlace, make_folder, write_inputs};
use crate::tasks;

impl Bench<'_> {
    /// Saves the fitted model for the process that serves it, with the inputs of the test rows and, for an audit, with inputs that it
    /// has never predicted. If one of them cannot be written, nothing is served, and every number of it is empty with the reason. What
    /// was measured of the fit stands.
    pub(super) fn hand_over(
        &mut self,
        model: &dyn Model,
        test: &Inputs,
        unseen: Option<&Inputs>,
        place: &ServingPlace,
    ) {
        let keep = self.case.keep_model;
        let task = keep.then(|| FittedTask::new(tasks::info(self.task)));
        let saved = save_in(&place.artefact, model, task.as_ref());
        match &saved {
            Ok(bytes) => self.record(Phase::Case, "model_bytes", Some(*bytes as f64), "model", ""),
            Err(reason) => self.record(Phase::Case, "model_bytes", None, "model", reason.as_str()),
        }
        let not = if saved.is_err() && keep { "neither kept nor served" } else { "not served" };
        let ready = match saved {
            Ok(_) => write_inputs(&place.inputs, test)
                .and_then(|()| unseen.map_or(Ok(()), |unseen| write_inputs(&place.unseen, unseen))),
            Err(reason) => Err(format!("the model could not be saved: {reason}")),
        };
        if let Err(reason) = ready {
            // Without the inputs of the test rows, no further process begins.
            let _ = fs::remove_file(&place.inputs);
            self.outcome.remark(&format!("the model was {not}: {reason}"));
            for (phase, metric, source) in of_serving(&self.case.latency) {
                self.record(phase, metric, None, source, reason.as_str());
            }
        }
    }
}

/// Saves a model beside its place, with the task that it has learned if it is kept, and then moves it there, so that a model in its
/// place is complete. Returns its size in bytes.
fn save_in(place: &Path, model: &dyn Model, task: Option<&FittedTask>) -> Result<u64, String> {
    let models = place.parent().unwrap_or(Path::new("."));
    // Not the folders above it: a run that was moved or removed meanwhile is not made again.
    make_folder(models).map_err(|error| unwritable(models, &error))?;
    // Hidden, so that the recorder recognises what a killed process left behind.
    let beside = tempfile::Builder::new().prefix(".").tempdir_in(models).map_err(|error| unwritable(models, &error))?;
    let saved = beside.path().join("model");
    let bytes = save(model, &saved)?;
    if let Some(task) = task {
        task.write(&saved).map_err(|error| error.to_string())?;
    }
    fs::rename(&saved, place).map_err(|error| unwritable(place, &error))?;
    Ok(bytes)
}

fn save(model: &dyn Model, folder: &Path) -> Result<u64, String> {
    model.save(folder).map_err(|error| error.to_string())?;
    model_bytes_in(folder).map_err(|error| format!("failed to read {}: {error}", folder.display()))
}

fn unwritable(path: &Path, error: &io::Error) -> String {
    format!("failed to write to {}: {error}", path.display())
}
