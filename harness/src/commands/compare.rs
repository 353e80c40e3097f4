//! `compare`: the same cases in two runs.

use std::io::{Write, stdout};
use std::path::PathBuf;

use bakeoff_reports::{Impute, compare_text};
use clap::Args;

use super::{Exit, load};
use crate::usage::usage;

#[derive(Debug, Args)]
pub(super) struct CompareArguments {
    /// The directory of the run that is compared with
    before: PathBuf,
    /// The directory of the other run
    after: PathBuf,
}

pub(super) fn run(arguments: &CompareArguments) -> anyhow::Result<Exit> {
    let before = load(&arguments.before, Impute::Nothing)?;
    let after = load(&arguments.after, Impute::Nothing)?;
    stdout().lock().write_all(compare_text(&before, &after).map_err(usage)?.as_bytes())?;
    Ok(Exit::Ok)
}
