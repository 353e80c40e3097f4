//! Adds runs and known changes to a history. Who calls these holds the lock of the folder.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use super::file::{self, Stored};
use super::ingest::NewRun;
use super::line::{CellLine, EpochLine, HISTORY_SCHEMA, Header, Line, RunLine};
use crate::error::ReportError;
use crate::run_dir::replace;

/// The project of a history whose nights name none.
pub const DEFAULT_PROJECT: &str = "bakeoff";

/// Checks that runs can be added to the history in a folder, before hours are spent to measure them. That there is none yet is no fault.
/// Gives how many runs and known changes it has.
///
/// # Errors
/// If its file cannot be read, is of a newer schema, was edited, or is of another project.
pub fn check_history(folder: &Path, project: &str) -> Result<usize, ReportError> {
    let Some((stored, _)) = file::read(folder)? else { return Ok(0) };
    refuse_other_project(folder, &stored, project)?;
    Ok(stored.entries.len())
}

/// Adds runs, completely or not at all, and begins the history if there is none. A run that is there already and of which the history says
/// something else takes the place of its former lines: failed cases of it were run again. Gives what a reader must know: what was cut
/// short at the end of the file before and is gone now.
///
/// # Errors
/// As [`check_history`], if a run is there already as it is, if another run of the same name is there, if what a run measured again is of
/// a night that is not there, or if the file cannot be written.
pub fn add_runs(folder: &Path, project: &str, runs: &[NewRun]) -> Result<Vec<String>, ReportError> {
    let (stored, bytes) = match file::read(folder)? {
        Some((stored, bytes)) => (stored, bytes),
        None => begin(folder, project)?,
    };
    refuse_other_project(folder, &stored, project)?;
    let path = || file::path_in(folder);
    let mut known: BTreeMap<String, (RunLine, Vec<CellLine>)> = BTreeMap::new();
    for entry in &stored.entries {
        if let file::Entry::Run { run, cells, .. } = entry
            && known.get(&run.run).is_none_or(|(before, _)| run.takes_the_place_of(before))
        {
            known.insert(run.run.clone(), (run.clone(), cells.clone()));
        }
    }
    let mut more = String::new();
    for new in runs {
        let run = new.run.run.clone();
        if let Some(night) = new.run.of.as_ref().filter(|night| !known.contains_key(*night)) {
            return Err(ReportError::NightNotInHistory { path: path(), run, night: night.clone() });
        }
        let new = match known.get(&run) {
            None => new.clone(),
            Some((before, _)) if before.started != new.run.started => {
                return Err(ReportError::NameInHistory { path: path(), run, started: before.started.clone() });
            }
            Some((before, cells)) => match new.clone().in_place_of(before, cells) {
                Some(new) => new,
                None => return Err(ReportError::InHistory { path: path(), run }),
            },
        };
        more += &new.lines();
        known.insert(run, (new.run, new.cells));
    }
    file::write(folder, &bytes, stored.bytes, more.as_bytes())?;
    Ok(stored.cut.into_iter().collect())
}

/// Adds known changes. Gives what [`add_runs`] gives.
///
/// # Errors
/// As [`add_runs`], and if there is no history.
pub fn add_epochs(folder: &Path, epochs: &[EpochLine]) -> Result<Vec<String>, ReportError> {
    let Some((stored, bytes)) = file::read(folder)? else {
        return Err(ReportError::NoHistory { path: folder.to_owned() });
    };
    let more: String = epochs.iter().map(|epoch| file::encode(&Line::Epoch(epoch.clone()))).collect();
    file::write(folder, &bytes, stored.bytes, more.as_bytes())?;
    Ok(stored.cut.into_iter().collect())
}

/// The first line of a new history. Version control must not hold the lock, and must not change the ends of lines: there are digests.
fn begin(folder: &Path, project: &str) -> Result<(Stored, Vec<u8>), ReportError> {
    let header = file::encode(&Header { history: HISTORY_SCHEMA, project: project.to_owned() });
    add_lines(&folder.join(".gitignore"), &["/.lock", "/.*.tmp", "/reference/.*.tmp"])?;
    add_lines(&folder.join(".gitattributes"), &["/history.jsonl -text", "/reference/** -text"])?;
    let stored = file::decode(&file::path_in(folder), header.as_bytes())?;
    Ok((stored, header.into_bytes()))
}

/// Adds lines that a file does not have. There may be no such file.
fn add_lines(path: &Path, lines: &[&str]) -> Result<(), ReportError> {
    let mut text = match fs::read_to_string(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        read => read.map_err(ReportError::io("read", path))?,
    };
    let missing: Vec<&str> = lines.iter().copied().filter(|line| !text.lines().any(|known| known == *line)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    for line in missing {
        text += line;
        text.push('\n');
    }
    replace(path, text.as_bytes())
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
