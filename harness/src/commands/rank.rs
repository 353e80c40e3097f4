//! `rank`: who is best, by task and over tasks.

use std::io::{Write, stdout};
use std::path::PathBuf;

use bakeoff_reports::{Impute, rank_text};
use clap::{Args, ValueEnum};

use super::{Exit, load};

#[derive(Debug, Args)]
pub(super) struct RankArguments {
    /// The run's directory
    run: PathBuf,
    /// Rank a model although some of its seeds failed or are missing, with this score in their place
    #[arg(long, value_name = "SCORE")]
    impute: Option<ImputedScore>,
}

/// What stands in for a score that is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ImputedScore {
    /// The floor: what a constant answer scores
    Floor,
}

pub(super) fn run(arguments: &RankArguments) -> anyhow::Result<Exit> {
    let impute = arguments.impute.map_or(Impute::Nothing, |ImputedScore::Floor| Impute::Floor);
    stdout().lock().write_all(rank_text(&load(&arguments.run, impute)?).as_bytes())?;
    Ok(Exit::Ok)
}
