//! Saves the fitted model, to measure its size and to serve it. No stopwatch runs meanwhile.

use std::fs;
use std::io;
use std::path::Path;

use bakeoff_datasets::Inputs;
use bakeoff_models::Model;
use bakeoff_reports::bytes_in;

use super::Bench;
use super::serve::OF_SERVING;
use crate::phase::Phase;
use crate::serving::{ServingPlace, make_folder, write_inputs};

impl Bench<'_> {
    /// Saves the fitted model and the inputs of the test rows for the process that serves them. If one of them cannot be written,
    /// nothing is served, and every number of it is empty with the reason. What was measured of the fit stands.
    pub(super) fn hand_over(&mut self, model: &dyn Model, test: &Inputs, place: &ServingPlace) {
        let saved = save_in(&place.artefact, model);
        match &saved {
            Ok(bytes) => self.record(Phase::Case, "model_bytes", Some(*bytes as f64), "model", ""),
            Err(reason) => self.record(Phase::Case, "model_bytes", None, "model", reason.as_str()),
        }
        let not = if saved.is_err() && self.case.keep_model { "neither kept nor served" } else { "not served" };
        let ready = match saved {
            Ok(_) => write_inputs(&place.inputs, test),
            Err(reason) => Err(format!("the model could not be saved: {reason}")),
        };
        if let Err(reason) = ready {
            self.outcome.remark(&format!("the model was {not}: {reason}"));
            for (phase, metric, source) in OF_SERVING {
                self.record(*phase, metric, None, source, reason.as_str());
            }
        }
    }
}

/// Saves a model beside its place and then moves it there, so that a model in its place is complete. Returns its size
/// in bytes.
fn save_in(place: &Path, model: &dyn Model) -> Result<u64, String> {
    let models = place.parent().unwrap_or(Path::new("."));
    // Not the folders above it: a run that was moved or removed meanwhile is not made again.
    make_folder(models).map_err(|error| unwritable(models, &error))?;
    // Hidden, so that the recorder recognises what a killed process left behind.
    let beside = tempfile::Builder::new().prefix(".").tempdir_in(models).map_err(|error| unwritable(models, &error))?;
    let saved = beside.path().join("model");
    let bytes = save(model, &saved)?;
    fs::rename(&saved, place).map_err(|error| unwritable(place, &error))?;
    Ok(bytes)
}

fn save(model: &dyn Model, folder: &Path) -> Result<u64, String> {
    model.save(folder).map_err(|error| error.to_string())?;
    bytes_in(folder).map_err(|error| format!("failed to read {}: {error}", folder.display()))
}

fn unwritable(path: &Path, error: &io::Error) -> String {
    format!("failed to write to {}: {error}", path.display())
}
