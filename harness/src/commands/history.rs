//! `history`: what a history says, known changes, and runs that are added to it later.

mod accept;
mod add;
mod backfill;
mod export;
mod reference;
mod show;

use std::io::{Write, stdout};
use std::path::{Path, PathBuf};

use bakeoff_models::unknown_name;
use bakeoff_reports::{DEFAULT_PROJECT, History, Night, ReportError, Rules, RunKind, night_text, shell_word};
use clap::{Args, Subcommand};

use super::{Exit, of_reading};
use crate::program::Program;
use crate::usage::usage;

pub(super) use reference::{load_reference, set_reference};

#[derive(Debug, Args)]
pub(super) struct HistoryArguments {
    #[command(subcommand)]
    command: HistoryCommand,
}

#[derive(Debug, Subcommand)]
enum HistoryCommand {
    /// Show the series with their change points
    Show(show::ShowArguments),
    /// Judge a night again, from the history alone
    Judge(JudgeArguments),
    /// Write a night in a format that other programs read, such as JUnit XML
    Export(export::ExportArguments),
    /// Accept a known change: a series starts anew with it
    Accept(accept::AcceptArguments),
    /// Add runs that are stored, such as one that was resumed
    Add(add::AddArguments),
    /// Test the scores of later nights against this run
    Reference(reference::ReferenceArguments),
    /// Build, measure and add past commits of a program; what was added is not measured again
    Backfill(backfill::BackfillArguments),
}

#[derive(Debug, Args)]
struct JudgeArguments {
    /// The folder of the history
    history: PathBuf,
    /// The run that is judged [default: the last night]
    #[arg(long, value_name = "RUN")]
    at: Option<String>,
    /// End with exit code 6 if a series has no baseline to be judged by
    #[arg(long)]
    require_baseline: bool,
}

pub(super) fn run(program: &Program, arguments: &HistoryArguments) -> anyhow::Result<Exit> {
    match &arguments.command {
        HistoryCommand::Show(arguments) => show::run(arguments),
        HistoryCommand::Judge(arguments) => judge(arguments),
        HistoryCommand::Export(arguments) => export::run(arguments),
        HistoryCommand::Accept(arguments) => accept::run(program, arguments),
        HistoryCommand::Add(arguments) => add::run(arguments),
        HistoryCommand::Reference(arguments) => reference::run(arguments),
        HistoryCommand::Backfill(arguments) => backfill::run(arguments),
    }
}

/// Whose history it is.
#[derive(Debug, Args)]
pub(super) struct Owner {
    /// Whose history it is; a history of another project is refused
    #[arg(long, value_name = "NAME", default_value = DEFAULT_PROJECT, value_parser = words)]
    pub(super) project: String,
}

impl Owner {
    /// The command that adds a run later.
    pub(super) fn add(&self, history: &Path, run: &Path) -> String {
        let option = if self.project == DEFAULT_PROJECT {
            String::new()
        } else {
            format!(" --project {}", shell_word(&self.project))
        };
        format!("bakeoff history add {} {}{option}", quoted(history), quoted(run))
    }
}

/// The command that ends a run which was stopped.
pub(super) fn resume(run: &Path) -> String {
    format!("bakeoff resume {}", quoted(run))
}

fn quoted(path: &Path) -> String {
    shell_word(&path.display().to_string())
}

/// Words that are kept in a history and shown on terminals.
fn words(text: &str) -> Result<String, String> {
    let text = text.trim();
    match text.chars().find(|letter| letter.is_control()) {
        Some(letter) => {
            Err(format!("it has the control character {}: write it as words in one line", letter.escape_debug()))
        }
        None if text.is_empty() => Err("it is empty: write it as words".to_owned()),
        None => Ok(text.to_owned()),
    }
}

fn judge(arguments: &JudgeArguments) -> anyhow::Result<Exit> {
    let history = History::read(&arguments.history).map_err(of_reading)?;
    let rules = Rules::read(&arguments.history).map_err(of_reading)?;
    let run = match &arguments.at {
        Some(name) => find_run(&history, name)?,
        None => last_night(&history, &arguments.history)?,
    };
    let night = history.judge(run, &rules);
    stdout().lock().write_all(night_text(&history, &night).as_bytes())?;
    Ok(verdict_exit(&history, &night, arguments.require_baseline))
}

/// The history, if it has begun.
pub(super) fn read(folder: &Path) -> anyhow::Result<Option<History>> {
    match History::read(folder) {
        Err(ReportError::NoHistory { .. }) => Ok(None),
        read => Ok(Some(read.map_err(of_reading)?)),
    }
}

/// The last night of a history.
fn last_night(history: &History, folder: &Path) -> anyhow::Result<usize> {
    history.last_night().ok_or_else(|| {
        usage(format!("{} has no night yet: name a run with --at, or run bakeoff nightly", folder.display()))
    })
}

/// The run that a user named, by its name or by the path of its directory.
fn find_run(history: &History, name: &str) -> anyhow::Result<usize> {
    let last = Path::new(name).file_name().and_then(|last| last.to_str()).unwrap_or(name);
    let found = history.runs.iter().position(|run| run.run == last);
    match found.map(|index| (index, &history.runs[index])) {
        Some((_, run)) if run.kind == RunKind::Again => {
            let night = run.of.as_deref().unwrap_or_default();
            Err(usage(format!(
                "{last} measured suspects of {night} again, and its numbers are judged with that night: name {night}"
            )))
        }
        Some((index, _)) => Ok(index),
        None => {
            let nights = history.runs.iter().filter(|run| run.kind != RunKind::Again);
            // The latest are those that a person means.
            let known: Vec<&str> = nights.rev().take(10).map(|run| run.run.as_str()).collect();
            Err(usage(unknown_name("run", last, &known)))
        }
    }
}

/// The exit code that the verdicts of a night give.
pub(super) fn verdict_exit(history: &History, night: &Night, require_baseline: bool) -> Exit {
    if night.is_regression() {
        Exit::Regression
    } else if night.has_failures(history) {
        Exit::SomeCasesFailed
    } else if require_baseline && night.without_baseline().next().is_some() {
        Exit::NoBaseline
    } else {
        Exit::Ok
    }
}
