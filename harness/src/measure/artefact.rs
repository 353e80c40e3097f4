//! Saves the fitted model, to measure its size and to keep it if wanted. No stopwatch runs meanwhile.

use std::fs;
use std::io;
use std::path::Path;

use bakeoff_models::Model;
use bakeoff_reports::{FittedTask, model_bytes_in};

use super::Bench;
use crate::phase::Phase;
use crate::tasks;

impl Bench<'_> {
    /// Saves the fitted model to measure its size. If it is to be kept, it is saved in `keep`.
    pub(super) fn artefact(&mut self, model: &dyn Model, keep: Option<&Path>) {
        let saved = match keep {
            Some(folder) => keep_in(folder, model, &FittedTask::new(tasks::info(self.task))),
            None => tempfile::tempdir().map_err(|error| unwritable(&std::env::temp_dir(), &error)).and_then(|folder| {
                let folder = folder.path().join("model");
                save(model, &folder)
            }),
        };
        match saved {
            Ok(bytes) => self.record(Phase::Case, "model_bytes", Some(bytes as f64), "model", ""),
            Err(reason) => {
                if keep.is_some() {
                    self.outcome.remark(&format!("the model was not kept: {reason}"));
                }
                self.record(Phase::Case, "model_bytes", None, "model", reason);
            }
        }
    }
}

/// Saves a model beside its place with the task that it has learned, and then moves it there, so that a model in its place is complete.
/// Returns its size in bytes.
fn keep_in(place: &Path, model: &dyn Model, task: &FittedTask) -> Result<u64, String> {
    let models = place.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(models).map_err(|error| unwritable(models, &error))?;
    // Hidden, so that the recorder recognises what a killed process left behind.
    let beside = tempfile::Builder::new().prefix(".").tempdir_in(models).map_err(|error| unwritable(models, &error))?;
    let saved = beside.path().join("model");
    let bytes = save(model, &saved)?;
    task.write(&saved).map_err(|error| error.to_string())?;
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
