//! What is removed from the directory of a run: what killed processes left behind, and checkpoints of fits that will not go on.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use anyhow::Context;
use bakeoff_reports::{Look, Record, RunDir, Status};

use super::{is_closing, storing};

/// Removes what is hidden beside the models, the checkpoints and the other files. A process that was killed while it wrote one leaves it. Also
/// removes the models that were being served when a run was killed, and the checkpoints of fits that will not go on. If all of the run's
/// `cases` have ended, nothing of tasks on a cluster is needed any more.
pub(super) fn tidy(dir: &RunDir, records: &[Record], cases: usize) -> anyhow::Result<()> {
    let is_hidden = |name: &str| name.starts_with('.');
    let over: BTreeSet<&str> = records
        .iter()
        .filter(|record| is_closing(record) && !goes_on(record.status, record.trial))
        .map(|record| record.case.as_str())
        .collect();
    remove_entries(&dir.path().join("models"), is_hidden)?;
    let serving = dir.path().join("serving");
    remove_entries(&serving, |_| true)?;
    // There may be none.
    let _ = fs::remove_dir(serving);
    // The list of cases that are stored together counts until their files are removed.
    let is_temporary = |name: &str| is_hidden(name) && name.ends_with(".tmp") && name != storing::FILE;
    for folder in ["", "predictions", "readings", "samples"].into_iter().chain(Look::ALL.map(Look::folder)) {
        remove_entries(&dir.path().join(folder), is_temporary)?;
    }
    let checkpoints = dir.path().join("checkpoints");
    remove_entries(&checkpoints, |name| is_hidden(name) || over.contains(name))?;
    // This fails if a checkpoint is left, and it should.
    let _ = fs::remove_dir(checkpoints);
    if records.iter().filter(|record| is_closing(record)).count() == cases {
        // On a shared file system, a file that another machine has open can stay. It disturbs nobody.
        let _ = fs::remove_dir_all(dir.slurm_path());
    }
    Ok(())
}

/// Whether `resume` goes on with the fit of a case that ended so. A fit that diverged would diverge again, and a search trial that
/// failed is a result.
pub(super) fn goes_on(status: Status, trial: Option<usize>) -> bool {
    trial.is_none() && status.is_failure() && status != Status::Diverged
}

/// Removes the entries of a folder whose name is `unwanted`. There may be no such folder.
fn remove_entries(folder: &Path, unwanted: impl Fn(&str) -> bool) -> anyhow::Result<()> {
    let failed = || format!("failed to tidy up {}", folder.display());
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.with_context(failed)?,
    };
    for entry in entries {
        let entry = entry.with_context(failed)?;
        if !unwanted(&entry.file_name().to_string_lossy()) {
            continue;
        }
        let is_folder = entry.file_type().with_context(failed)?.is_dir();
        let removed = if is_folder { fs::remove_dir_all(entry.path()) } else { fs::remove_file(entry.path()) };
        removed.with_context(failed)?;
    }
    Ok(())
}
