//! `history add`: runs that are stored are added later.

use std::fs;
use std::io::{Write, stdout};
use std::path::PathBuf;

use bakeoff_reports::{Impute, NewRun, Origin, add_runs};
use clap::Args;

use super::super::{Exit, load, of_reading};
use super::{Owner, load_reference, resume};
use crate::recorder::RunLock;
use crate::usage::usage;

#[derive(Debug, Args)]
pub(super) struct AddArguments {
    /// The folder of the history; it is made if it is not there
    history: PathBuf,
    /// The directories of the runs, the oldest first
    #[arg(required = true)]
    runs: Vec<PathBuf>,
    #[command(flatten)]
    owner: Owner,
}

pub(super) fn run(arguments: &AddArguments) -> anyhow::Result<Exit> {
    let folder = &arguments.history;
    let mut new = Vec::new();
    for run in &arguments.runs {
        let results = load(run, Impute::Nothing)?;
        if !results.grid.unfinished.is_empty() {
            return Err(usage(format!(
                "the run {} is not complete, and a night of fewer cases is another one: {}, then add it",
                run.display(),
                resume(run)
            )));
        }
        let reference = load_reference(folder, &results.info.suite)?;
        new.push(NewRun::of(&results, Origin::later(&results.info), reference.as_ref()));
    }
    fs::create_dir_all(folder)
        .map_err(|error| usage(format!("cannot make the folder of the history, {}: {error}", folder.display())))?;
    let _lock = RunLock::new(folder)?;
    let remarks = add_runs(folder, &arguments.owner.project, &new).map_err(of_reading)?;
    let mut out = stdout().lock();
    for remark in remarks.iter().chain(new.iter().flat_map(|run| &run.remarks)) {
        writeln!(out, "note: {remark}")?;
    }
    let runs = if new.len() == 1 { "run" } else { "runs" };
    writeln!(out, "added {} {runs} to {}", new.len(), folder.display())?;
    Ok(Exit::Ok)
}
