//! The reference run of a suite, against whose predictions scores are tested. It is kept in the history's folder: `reference/<suite>/`.

use std::fs;
use std::io::{Write, stdout};
use std::path::{Component, Path, PathBuf};

use anyhow::Context;
use bakeoff_reports::{History, Impute, Results, RunDir, RunInfo};
use clap::Args;
use sha2::{Digest, Sha256};

use super::super::{Exit, load, of_reading};
use super::{quoted, read};
use crate::recorder::RunLock;
use crate::usage::usage;

#[derive(Debug, Args)]
pub(super) struct ReferenceArguments {
    /// The folder of the history
    history: PathBuf,
    /// The directory of the run
    run: PathBuf,
}

/// What tests need of a run. Readings, models and reports are left behind.
const FILES: [&str; 3] = ["run.json", "records.csv", "curves.csv"];

/// The digests of the files, as `sha256sum --check` reads them.
const SUMS: &str = "SHA256SUMS";

pub(super) fn run(arguments: &ReferenceArguments) -> anyhow::Result<Exit> {
    History::read(&arguments.history).map_err(of_reading)?;
    let results = load(&arguments.run, Impute::Nothing)?;
    let _lock = RunLock::new(&arguments.history)?;
    let kept = set_reference(&arguments.history, &RunDir::new(&arguments.run))?;
    writeln!(
        stdout(),
        "scores of {} are tested against run {} from now on, which is kept in {}",
        results.info.suite,
        results.info.run,
        kept.display()
    )?;
    Ok(Exit::Ok)
}

/// The folder of a suite's reference run.
///
/// # Errors
/// If the name, which comes from a file, is none of a folder: files elsewhere would be replaced.
fn reference_folder(history: &Path, suite: &str) -> anyhow::Result<PathBuf> {
    let mut parts = Path::new(suite).components();
    match (parts.next(), parts.next()) {
        (Some(Component::Normal(name)), None) if name == suite => Ok(history.join("reference").join(suite)),
        _ => Err(usage(format!("'{suite}' is no name of a suite: run.json of the run was edited"))),
    }
}

/// The reference run of a suite; `None` if there never was one.
///
/// # Errors
/// If it cannot be read, is not there any more, or is not as it was kept: verdicts would follow from what somebody else wrote.
pub(in crate::commands) fn load_reference(history: &Path, suite: &str) -> anyhow::Result<Option<Results>> {
    let folder = reference_folder(history, suite)?;
    if !folder.exists() {
        refuse_lost(history, suite)?;
        return Ok(None);
    }
    let read = check(&folder).and_then(|()| Results::load(&RunDir::new(&folder)).map_err(of_reading));
    read.map(Some).map_err(|error| {
        usage(format!(
            "the reference run of {suite} cannot be used: {error:#}. Put it back (git checkout), or choose another: bakeoff history reference \
             {} <folder of the run>",
            quoted(history)
        ))
    })
}

/// Refuses a history whose reference of a suite was lost: the next run would silently be what later scores are compared with.
fn refuse_lost(history: &Path, suite: &str) -> anyhow::Result<()> {
    let Some(read) = read(history)? else { return Ok(()) };
    let of_suite = read.runs.iter().rev().filter(|run| run.suite == suite).flat_map(|run| &run.cells);
    let mut references = of_suite.filter_map(|cell| cell.quality.as_ref().map(|quality| &quality.reference));
    let Some(reference) = references.find(|reference| !reference.is_empty()) else { return Ok(()) };
    let history = quoted(history);
    Err(usage(format!(
        "scores of {suite} were tested against run {reference}, which is not in {history}/reference any more: put it back (git checkout), or \
         choose another: bakeoff history reference {history} <folder of the run>"
    )))
}

/// Checks the files of a reference run by the digests that were kept with them.
fn check(folder: &Path) -> anyhow::Result<()> {
    let sums = folder.join(SUMS);
    let text = fs::read_to_string(&sums).with_context(|| format!("cannot read {}", sums.display()))?;
    let mut expected = FILES[..2].iter().map(|file| (*file).to_owned()).collect::<Vec<_>>();
    for entry in fs::read_dir(folder.join("predictions")).into_iter().flatten().flatten() {
        expected.push(format!("predictions/{}", entry.file_name().to_string_lossy()));
    }
    for (index, line) in text.lines().enumerate() {
        let (sum, name) = line
            .split_once("  ")
            .with_context(|| format!("{}:{}: expected a digest and a file", sums.display(), index + 1))?;
        let path = folder.join(name);
        anyhow::ensure!(
            digest(&path)? == sum,
            "{} was changed or cut short: it is not the file that was kept",
            path.display()
        );
        expected.retain(|file| file != name);
    }
    anyhow::ensure!(expected.is_empty(), "{} has no digest of {}", sums.display(), expected[0]);
    Ok(())
}

/// The SHA-256 of a file, in hexadecimal digits.
fn digest(path: &Path) -> anyhow::Result<String> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Keeps a copy of what tests need of a run, and gives its folder. The former reference stays until the copy is complete.
///
/// # Errors
/// If the run cannot be read or the copy not be written.
pub(in crate::commands) fn set_reference(history: &Path, run: &RunDir) -> anyhow::Result<PathBuf> {
    let info = run.info().map_err(of_reading)?;
    let folder = reference_folder(history, &info.suite)?;
    let above = history.join("reference");
    fs::create_dir_all(&above).with_context(|| format!("cannot make {}", above.display()))?;
    let copy = above.join(format!(".{}.{}.tmp", info.suite, std::process::id()));
    let made = copy_run(run, &info, &copy).and_then(|()| {
        let moved = |from: &Path, to: &Path| {
            fs::rename(from, to).with_context(|| format!("cannot move {} to {}", from.display(), to.display()))
        };
        // Beside, so that a kill at any moment leaves one of both.
        let former = copy.with_extension("former.tmp");
        if folder.exists() {
            moved(&folder, &former)?;
        }
        moved(&copy, &folder).inspect_err(|_| drop(fs::rename(&former, &folder)))?;
        // What cannot be removed now is hidden, and disturbs nobody.
        let _ = fs::remove_dir_all(&former);
        Ok(())
    });
    made.inspect_err(|_| {
        // Half a copy is of no use. If it cannot be removed, the first error matters more.
        let _ = fs::remove_dir_all(&copy);
    })?;
    Ok(folder)
}

fn copy_run(run: &RunDir, info: &RunInfo, copy: &Path) -> anyhow::Result<()> {
    let predictions = copy.join("predictions");
    fs::create_dir_all(&predictions).with_context(|| format!("cannot make {}", predictions.display()))?;
    let mut sums = String::new();
    let mut keep = |from: &Path, name: &str| -> anyhow::Result<()> {
        let to = copy.join(name);
        fs::copy(from, &to).with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))?;
        sums += &format!("{}  {name}\n", digest(&to)?);
        Ok(())
    };
    for file in FILES.into_iter().filter(|file| run.path().join(file).exists()) {
        keep(&run.path().join(file), file)?;
    }
    for case in info.cases.iter().filter(|case| case.trial.is_none()) {
        let from = run.predictions_path(&case.case);
        if let (true, Some(name)) = (from.exists(), from.file_name()) {
            keep(&from, &format!("predictions/{}", name.to_string_lossy()))?;
        }
    }
    Ok(fs::write(copy.join(SUMS), sums)?)
}
