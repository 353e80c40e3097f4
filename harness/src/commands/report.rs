//! `report`: writes the report of a run again from its CSV files only.

use std::io::{Write as _, stdout};
use std::path::PathBuf;

use bakeoff_reports::{ReportError, Results, RunDir, bibtex};
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
    /// Print the BibTeX entries of the data, models and statistics that the run used, and write nothing
    #[arg(long)]
    bib: bool,
}

pub(super) fn run(arguments: &ReportArguments) -> anyhow::Result<Exit> {
    let dir = RunDir::new(&arguments.run);
    dir.info().map_err(usage)?;
    if arguments.bib {
        let results = Results::load(&dir).map_err(of_reading)?;
        write!(stdout().lock(), "{}", bibtex(&results))?;
        return Ok(Exit::Ok);
    }
    let _lock = RunLock::for_report(dir.path())?;
    let built = threads::at_most(available_cpus(), || bakeoff_reports::build(&dir)).map_err(of_reading)?;
    print_report(&mut stdout().lock(), &built)?;
    Ok(Exit::Ok)
}

/// What a user can mend in the run's files is wrong input; everything else is unexpected.
fn of_reading(error: ReportError) -> anyhow::Error {
    match error {
        ReportError::Io { .. } | ReportError::Figure { .. } => error.into(),
        of_the_files => usage(of_the_files),
    }
}
