//! The reference run of a suite, against whose predictions scores are tested. It is kept in the history's folder: `reference/<suite>/`.

use std::fs;
use std::io::{Write, stdout};
use std::path::{Path, PathBuf};

use anyhow::Context;
use bakeoff_reports::{History, Impute, Results, RunDir, RunInfo};
use clap::Args;

use super::super::{Exit, load, of_reading};
use crate::recorder::RunLock;

#[derive(Debug, Args)]
pub(super) struct ReferenceArguments {
    /// The folder of the history
    history: PathBuf,
    /// The directory of the run
    run: PathBuf,
}

/// What tests need of a run. Readings, models and reports are left behind.
const FILES: [&str; 3] = ["run.json", "records.csv", "curves.csv"];

pub(super) fn run(arguments: &ReferenceArguments) -> anyhow::Result<Exit> {
    History::read(&arguments.history).map_err(of_reading)?;
    let results = load(&arguments.run, Impute::Nothing)?;
    let _lock = RunLock::new(&arguments.history)?;
    set_reference(&arguments.history, &RunDir::new(&arguments.run))?;
    writeln!(
        stdout(),
        "scores of {} are tested against run {} from now on, which is kept in {}",
        results.info.suite,
        results.info.run,
        reference_folder(&arguments.history, &results.info.suite).display()
    )?;
    Ok(Exit::Ok)
}

/// The folder of a suite's reference run.
pub(in crate::commands) fn reference_folder(history: &Path, suite: &str) -> PathBuf {
    history.join("reference").join(suite)
}

/// The reference run of a suite; `None` if there is none yet.
pub(in crate::commands) fn load_reference(history: &Path, suite: &str) -> anyhow::Result<Option<Results>> {
    let folder = reference_folder(history, suite);
    if !folder.exists() {
        return Ok(None);
    }
    let read = Results::load(&RunDir::new(&folder)).map_err(of_reading);
    read.map(Some).with_context(|| {
        let history = history.display();
        format!("the reference run of {suite} cannot be read; put it back, or choose another: bakeoff history reference {history} <run>")
    })
}

/// Keeps a copy of what tests need of a run. The former reference stays until the copy is complete.
///
/// # Errors
/// If the run cannot be read or the copy not be written.
pub(in crate::commands) fn set_reference(history: &Path, run: &RunDir) -> anyhow::Result<()> {
    let info = run.info().map_err(of_reading)?;
    let folder = reference_folder(history, &info.suite);
    let above = history.join("reference");
    fs::create_dir_all(&above).with_context(|| format!("cannot make {}", above.display()))?;
    let copy = above.join(format!(".{}.{}.tmp", info.suite, std::process::id()));
    let made = copy_run(run, &info, &copy).and_then(|()| {
        if folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
        }
        fs::rename(&copy, &folder).with_context(|| format!("cannot move {} to {}", copy.display(), folder.display()))
    });
    made.inspect_err(|_| {
        // Half a copy is of no use. If it cannot be removed, the first error matters more.
        let _ = fs::remove_dir_all(&copy);
    })
}

fn copy_run(run: &RunDir, info: &RunInfo, copy: &Path) -> anyhow::Result<()> {
    let predictions = copy.join("predictions");
    fs::create_dir_all(&predictions).with_context(|| format!("cannot make {}", predictions.display()))?;
    for file in FILES {
        let from = run.path().join(file);
        if from.exists() {
            fs::copy(&from, copy.join(file)).with_context(|| format!("cannot copy {}", from.display()))?;
        }
    }
    for case in info.cases.iter().filter(|case| case.trial.is_none()) {
        let from = run.predictions_path(&case.case);
        if let (true, Some(name)) = (from.exists(), from.file_name()) {
            fs::copy(&from, predictions.join(name)).with_context(|| format!("cannot copy {}", from.display()))?;
        }
    }
    Ok(())
}
