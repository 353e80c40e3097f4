//! `history backfill`: builds past commits of a program, runs the suite with each, and adds the runs at the dates of the commits.
//!
//! The commits are checked out one after another into one work tree, beside that of the user, so that each build has what the one before it
//! made. What is in the history already is skipped, and a run that was begun is resumed, so a stop costs one case.

mod commits;

use std::fs;
use std::io::{Write, stdout};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use anyhow::Context;
use bakeoff_reports::{NewRun, Origin, Results, RunDir, RunKind, add_runs, check_history};
use clap::Args;
use sha2::{Digest, Sha256};

use super::super::say;
use super::super::{Exit, of_reading};
use super::{Owner, load_reference, read};
use crate::interrupt;
use crate::recorder::RunLock;
use crate::suite::BUILT_IN;
use crate::usage::usage;
use commits::{Commit, Repository};

/// The exit code of `run` and `resume` if cases failed.
const SOME_CASES_FAILED: i32 = 3;

/// The exit codes that leave a run which can be added: all is done, some cases failed, nothing was to do.
const ENDED: [i32; 3] = [0, SOME_CASES_FAILED, 5];

#[derive(Debug, Args)]
pub(super) struct BackfillArguments {
    /// The folder of the history; it is made if it is not there
    history: PathBuf,
    /// The commits: A..B are those of B that A does not have, the oldest first
    #[arg(long, value_name = "A..B")]
    commits: String,
    /// The suite that each commit runs [default: that of the last run in the history, if it is a built-in one]
    #[arg(long, value_name = "SUITE")]
    suite: Option<String>,
    /// How a commit is built, in its work tree
    #[arg(long, value_name = "COMMAND", default_value = "cargo build --release")]
    build: String,
    /// The program that the build makes, in the work tree [default: target/release/ and the name of this program]
    #[arg(long, value_name = "PATH")]
    program: Option<PathBuf>,
    /// The folder in which the work tree is made; it is kept, so that the next backfill builds faster
    #[arg(long, value_name = "DIR", default_value = "backfill")]
    worktree: PathBuf,
    /// The folder in which the directories of runs are made
    #[arg(long, value_name = "DIR", default_value = "runs")]
    runs: PathBuf,
    #[command(flatten)]
    owner: Owner,
    /// Further arguments of each run, after --
    #[arg(last = true, value_name = "ARGUMENTS")]
    arguments: Vec<String>,
}

/// How a commit ended.
enum Ended {
    Added { with_failures: bool },
    Skipped(String),
    Interrupted,
}

pub(super) fn run(arguments: &BackfillArguments) -> anyhow::Result<Exit> {
    let repository = Repository::here()?;
    let commits = repository.commits(&arguments.commits)?;
    let folder = &arguments.history;
    fs::create_dir_all(folder)
        .map_err(|error| usage(format!("cannot make the folder of the history, {}: {error}", folder.display())))?;
    let _lock = RunLock::new(folder)?;
    check_history(folder, &arguments.owner.project).map_err(of_reading)?;
    let suite = suite(arguments)?;
    let known = measured(folder, &suite.name)?;
    let left: Vec<&Commit> = commits.iter().filter(|commit| !known.iter().any(|hash| commit.is(hash))).collect();
    let commits_of = if commits.len() == 1 { "commit" } else { "commits" };
    say(&format!("{} {commits_of}, {} in the history already", commits.len(), commits.len() - left.len()));
    if left.is_empty() {
        writeln!(stdout(), "nothing to do: every commit of {} is in the history", arguments.commits)?;
        return Ok(Exit::NothingToDo);
    }
    interrupt::listen()?;
    let worktree = repository.worktree(&arguments.worktree)?;
    let (mut added, mut failing, mut skipped) = (0, Vec::new(), Vec::new());
    for (index, commit) in left.iter().enumerate() {
        say(&format!(
            "commit {} of {}: {} ({}) {}",
            index + 1,
            left.len(),
            commit.short(),
            commit.date,
            commit.subject
        ));
        match one(arguments, &suite, &repository, &worktree, commit)? {
            Ended::Added { with_failures } => {
                added += 1;
                if with_failures {
                    failing.push(commit.short().to_owned());
                }
            }
            Ended::Skipped(why) => {
                say(&format!("skipped {}: {why}", commit.short()));
                skipped.push(commit.short().to_owned());
            }
            Ended::Interrupted => {
                say("stopped; the same command goes on with the commits that are left");
                return Ok(Exit::Interrupted);
            }
        }
    }
    let mut out = stdout().lock();
    writeln!(out, "added {added} of {} commits to {}", left.len(), folder.display())?;
    if !failing.is_empty() {
        writeln!(out, "with cases that failed: {}", failing.join(", "))?;
    }
    if !skipped.is_empty() {
        writeln!(
            out,
            "skipped, as standard error says why: {}; the same command tries them again",
            skipped.join(", ")
        )?;
    }
    Ok(if failing.is_empty() && skipped.is_empty() { Exit::Ok } else { Exit::SomeCasesFailed })
}

/// A suite for programs that run in another folder.
struct SuiteName {
    /// What `run` is given: the name of a built-in suite, or an absolute path.
    given: String,
    /// Its name in records.
    name: String,
    /// The text of a file; empty for a built-in suite, which each commit has of its own.
    text: String,
}

fn suite(arguments: &BackfillArguments) -> anyhow::Result<SuiteName> {
    let given = match &arguments.suite {
        Some(suite) => suite.clone(),
        None => {
            let last = read(&arguments.history)?.and_then(|history| history.runs.last().map(|run| run.suite.clone()));
            last.ok_or_else(|| usage("the history has no run yet, so say which suite the commits run: --suite quick"))?
        }
    };
    if BUILT_IN.iter().any(|(name, _)| *name == given) {
        return Ok(SuiteName { name: given.clone(), given, text: String::new() });
    }
    let path = fs::canonicalize(&given).map_err(|error| {
        let from = if arguments.suite.is_some() { "--suite" } else { "the suite of the last run in the history," };
        usage(format!(
            "{from} {given} is no built-in suite, and as a file it cannot be read ({error}): name the file with --suite"
        ))
    })?;
    let source = crate::suite::Source::find(&path.display().to_string()).map_err(usage)?;
    let name = source.parse().map_err(usage)?.name.as_ref().clone();
    Ok(SuiteName { given: path.display().to_string(), name, text: source.text })
}

/// The commits of which the history has a run of this suite.
fn measured(folder: &Path, suite: &str) -> anyhow::Result<Vec<String>> {
    let Some(history) = read(folder)? else { return Ok(Vec::new()) };
    let of_suite = history.runs.into_iter().filter(|run| run.suite == suite && run.kind == RunKind::Backfill);
    Ok(of_suite.map(|run| run.commit).collect())
}

/// Builds a commit, runs it and adds the run.
fn one(
    arguments: &BackfillArguments,
    suite: &SuiteName,
    repository: &Repository,
    worktree: &Path,
    commit: &Commit,
) -> anyhow::Result<Ended> {
    repository.check_out(worktree, commit)?;
    let built = shell(&arguments.build).current_dir(worktree).status();
    let built = built.with_context(|| format!("cannot start the build: {}", arguments.build))?;
    if interrupt::requested() {
        return Ok(Ended::Interrupted);
    }
    if !built.success() {
        return Ok(Ended::Skipped(format!("it does not build ({}: {built})", arguments.build)));
    }
    let program = worktree.join(program(arguments)?);
    if !program.exists() {
        let why = format!("the build made no {}; --program names what it makes", program.display());
        return Ok(Ended::Skipped(why));
    }
    fs::create_dir_all(&arguments.runs)
        .map_err(|error| usage(format!("cannot make the folder of runs, {}: {error}", arguments.runs.display())))?;
    let runs = fs::canonicalize(&arguments.runs).context("the folder of runs is gone")?;
    // A suite or arguments that were changed are another run, which goes on in no folder of the former one.
    let digest = Sha256::digest(format!("{}\n{}", suite.text, arguments.arguments.join("\n")).as_bytes());
    let digest: String = digest.iter().take(2).map(|byte| format!("{byte:02x}")).collect();
    let out = runs.join(format!("{}-{}-{}-{digest}", commit.date.replace(['-', ':'], ""), suite.name, commit.short()));
    // A folder without run.json is none that can be resumed.
    let mut command = Command::new(&program);
    if out.join("run.json").exists() {
        command.arg("resume").arg(&out);
    } else {
        command.arg("run").arg(&suite.given).arg("--out").arg(&out).args(&arguments.arguments);
    }
    let status = match command.current_dir(worktree).status() {
        Ok(status) => status,
        Err(error) => {
            return Ok(Ended::Skipped(format!("what it builds cannot be started, {}: {error}", program.display())));
        }
    };
    if interrupt::requested() || status.code() == Some(i32::from(interrupt::EXIT_CODE)) {
        return Ok(Ended::Interrupted);
    }
    if !status.code().is_some_and(|code| ENDED.contains(&code)) {
        return Ok(Ended::Skipped(format!("its run of {} failed ({})", suite.given, ended(status))));
    }
    let results = match Results::load(&RunDir::new(&out)) {
        Ok(results) => results,
        Err(error) => return Ok(Ended::Skipped(format!("its run cannot be read: {error}"))),
    };
    let reference = load_reference(&arguments.history, &suite.name)?;
    let origin = Origin {
        kind: RunKind::Backfill,
        commit: Some(commit.short().to_owned()),
        committed: Some(commit.date.clone()),
        ..Origin::night()
    };
    let new = NewRun::of(&results, origin, reference.as_ref());
    let stored =
        || format!("the run is stored in {}, but it is not in the history; the same command adds it", out.display());
    let remarks = new.remarks.clone();
    let added =
        add_runs(&arguments.history, &arguments.owner.project, &[new]).map_err(of_reading).with_context(stored)?;
    for remark in remarks.iter().chain(&added) {
        say(&format!("note: {remark}"));
    }
    Ok(Ended::Added { with_failures: status.code() == Some(SOME_CASES_FAILED) })
}

fn ended(status: ExitStatus) -> String {
    status.code().map_or_else(|| status.to_string(), |code| format!("exit code {code}"))
}

/// The program that a build makes, below the work tree.
fn program(arguments: &BackfillArguments) -> anyhow::Result<PathBuf> {
    if let Some(program) = &arguments.program {
        return Ok(program.clone());
    }
    let this =
        std::env::current_exe().context("the path of this program is unknown: name the built one with --program")?;
    let name = this.file_name().context("this program has no name: name the built one with --program")?;
    Ok(Path::new("target").join("release").join(name))
}

/// A command line as the user wrote it.
fn shell(line: &str) -> Command {
    let (shell, flag) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
    let mut command = Command::new(shell);
    command.arg(flag).arg(line);
    command
}
