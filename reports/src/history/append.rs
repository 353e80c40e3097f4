//! Adds runs and known changes to a history. Who calls these holds the lock of the folder.

use std::path::Path;

use super::file::{self, Stored};
use super::ingest::NewRun;
use super::line::{EpochLine, HISTORY_SCHEMA, Header, Line};
use crate::error::ReportError;
use crate::run_dir::replace;

/// The project of a history whose nights name none.
pub const DEFAULT_PROJECT: &str = "bakeoff";

/// Checks that runs can be added to the history in a folder, before hours are spent to measure them. That there is none yet is no fault.
///
/// # Errors
/// If its file cannot be read, is of a newer schema, was edited, or is of another project.
pub fn check_history(folder: &Path, project: &str) -> Result<(), ReportError> {
    let read = file::read(folder)?;
    read.map_or(Ok(()), |(stored, _)| refuse_other_project(folder, &stored, project))
}

/// Adds runs, completely or not at all, and begins the history if there is none. Gives what a reader must know: what was cut short at the
/// end of the file before and is gone now.
///
/// # Errors
/// As [`check_history`], if a run of the same name is there already, or if the file cannot be written.
pub fn add_runs(folder: &Path, project: &str, runs: &[NewRun]) -> Result<Vec<String>, ReportError> {
    let (stored, bytes) = match file::read(folder)? {
        Some((stored, bytes)) => (stored, bytes),
        None => begin(folder, project)?,
    };
    refuse_other_project(folder, &stored, project)?;
    let mut names: Vec<&str> = stored.entries.iter().filter_map(name_of).collect();
    for new in runs {
        if names.contains(&new.run.run.as_str()) {
            return Err(ReportError::InHistory { path: file::path_in(folder), run: new.run.run.clone() });
        }
        names.push(&new.run.run);
    }
    let more: String = runs.iter().map(NewRun::lines).collect();
    file::write(folder, &bytes, stored.bytes, more.as_bytes())?;
    Ok(stored.cut.into_iter().collect())
}

/// Adds known changes.
///
/// # Errors
/// As [`add_runs`], and if there is no history.
pub fn add_epochs(folder: &Path, epochs: &[EpochLine]) -> Result<(), ReportError> {
    let Some((stored, bytes)) = file::read(folder)? else {
        return Err(ReportError::NoHistory { path: folder.to_owned() });
    };
    let more: String = epochs.iter().map(|epoch| file::encode(&Line::Epoch(epoch.clone()))).collect();
    file::write(folder, &bytes, stored.bytes, more.as_bytes())
}

/// The first line of a new history. Version control must not hold the lock.
fn begin(folder: &Path, project: &str) -> Result<(Stored, Vec<u8>), ReportError> {
    let header = file::encode(&Header { history: HISTORY_SCHEMA, project: project.to_owned() });
    let ignored = folder.join(".gitignore");
    if !ignored.exists() {
        replace(&ignored, b".lock\n.*.tmp\n")?;
    }
    let stored = file::decode(&file::path_in(folder), header.as_bytes())?;
    Ok((stored, header.into_bytes()))
}

fn name_of(entry: &file::Entry) -> Option<&str> {
    match entry {
        file::Entry::Run { run, .. } => Some(&run.run),
        file::Entry::Epoch { .. } => None,
    }
}

fn refuse_other_project(folder: &Path, stored: &Stored, project: &str) -> Result<(), ReportError> {
    if stored.project == project {
        return Ok(());
    }
    Err(ReportError::OtherProject {
        path: file::path_in(folder),
        found: stored.project.clone(),
        expected: project.to_owned(),
    })
}
