//! Cases that are stored together. To force a file to the disk takes as long for many at the same time as for one, so a program that
//! collects thousands of outcomes stores those that are there in one go.
//!
//! If the program is stopped meanwhile, several cases may have files and no rows. Which they are is written down before, so that they are not
//! taken for cases whose rows were lost.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use bakeoff_reports::{PredictionRow, Reading, ReportError, RunDir, replace};

use super::Ended;

/// How many files are forced to the disk at the same time.
const FILES_AT_ONCE: usize = 16;

/// The file that names the cases.
pub(super) const FILE: &str = ".storing.tmp";

fn path(dir: &RunDir) -> PathBuf {
    dir.path().join(FILE)
}

/// Writes down which cases are about to be stored, unless it is a single one.
pub(super) fn begin(dir: &RunDir, ended: &[Ended]) -> anyhow::Result<()> {
    if ended.len() < 2 {
        return Ok(());
    }
    let ids: String = ended.iter().map(|one| format!("{}\n", one.case.id)).collect();
    Ok(replace(&path(dir), ids.as_bytes())?)
}

/// Says that no case is being stored.
pub(super) fn end(dir: &RunDir) {
    // If the list stays, it names cases that are stored, of which nothing is lost.
    let _ = fs::remove_file(path(dir));
}

/// The cases that were being stored when the program was stopped, if there were several.
pub(super) fn interrupted(dir: &RunDir) -> BTreeSet<String> {
    let ids = fs::read_to_string(path(dir)).unwrap_or_default();
    ids.lines().map(str::to_owned).collect()
}

/// A file of many rows.
enum File<'a> {
    Predictions(&'a str, &'a [PredictionRow]),
    Readings(&'a str, &'a [Reading]),
}

impl File<'_> {
    fn write(&self, dir: &RunDir) -> Result<(), ReportError> {
        match self {
            File::Predictions(_, []) | File::Readings(_, []) => Ok(()),
            File::Predictions(case, rows) => dir.write_rows(&dir.predictions_path(case), rows),
            File::Readings(case, rows) => dir.write_readings(case, rows),
        }
    }
}

/// Writes the predictions and the readings of cases.
pub(super) fn write_large_files(dir: &RunDir, ended: &[Ended]) -> Result<(), ReportError> {
    let mut files = Vec::with_capacity(2 * ended.len());
    for Ended { case, outcome, .. } in ended {
        files.push(File::Predictions(&case.id, &outcome.predictions));
        files.push(File::Readings(&case.id, &outcome.readings));
    }
    let next = AtomicUsize::new(0);
    let write_some = || -> Result<(), ReportError> {
        while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            file.write(dir)?;
        }
        Ok(())
    };
    thread::scope(|scope| {
        let start = |_| thread::Builder::new().spawn_scoped(scope, write_some).ok();
        // If the system starts no more threads, those that it has started do the work.
        let beside: Vec<_> = (1..files.len().min(FILES_AT_ONCE)).map_while(start).collect();
        beside.into_iter().fold(write_some(), |written, thread| {
            written.and(thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        })
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::super::tidy::tidy;
    use super::*;

    #[test]
    fn the_list_outlives_what_is_tidied_up_before_the_files_of_its_cases_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let dir = RunDir::new(folder.path());
        fs::write(path(&dir), "a\nb\n").unwrap();
        fs::write(folder.path().join(".records.csv.7.tmp"), "half").unwrap();
        tidy(&dir, &[], 2).unwrap();
        assert!(!folder.path().join(".records.csv.7.tmp").exists());
        assert_eq!(interrupted(&dir), ["a", "b"].map(str::to_owned).into());
        end(&dir);
        assert!(interrupted(&dir).is_empty());
    }
}
