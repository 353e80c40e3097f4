//! `report`: writes the report of a run again from its CSV files only.

use std::io::stdout;
use std::path::PathBuf;

use bakeoff_reports::{ReportError, RunDir};
use clap::Args;

use super::{Exit, print_report};
use crate::machine::available_cpus;
use crate::recorder::RunLock;
use crate::threads;
use crate::usage::usage;

#[derive(Debug, Args)]
pub(super) struct ReportArguments {
    /// The run's directory
    run: PathBuf,
}

pub(super) fn run(arguments: &ReportArguments) -> anyhow::Result<Exit> {
    let dir = RunDir::new(&arguments.run);
    dir.info().map_err(usage)?;
    let _lock = RunLock::for_report(dir.path())?;
    let built = threads::at_most(available_cpus(), || bakeoff_reports::build(&dir)).map_err(|error| match error {
        ReportError::Io { .. } | ReportError::Figure { .. } => error.into(),
        of_the_files => usage(of_the_files),
    })?;
    print_report(&mut stdout().lock(), &built)?;
    Ok(Exit::Ok)
}
