//! `nightly`: runs a suite, adds the run to the history, judges it, and measures what is suspected again at once.

use std::fs;
use std::io::{self, Write, stdout};
use std::path::{Path, PathBuf};

use anyhow::Context;
use bakeoff_reports::{
    CellKey, History, NewRun, Night, Origin, Results, Rules, RunDir, RunInfo, add_runs, check_history, night_text,
    shell_word,
};
use clap::Args;

use super::history::{Owner, load_reference, resume, set_reference, verdict_exit};
use super::run::{Isolation, exit_of, say_forecast, sum_up};
use super::say;
use super::{Exit, Selection, of_reading};
use crate::case::Case;
use crate::interrupt;
use crate::plan::Plan;
use crate::program::Program;
use crate::recorder::{Recorder, RunLock};
use crate::search::Searches;
use crate::session::{Finished, Session};
use crate::usage::usage;

/// How often suspects are measured again, unless the user says it: the median of three is not moved by one outlier.
const AGAIN: usize = 3;

#[derive(Debug, Args)]
pub(super) struct NightlyArguments {
    #[command(flatten)]
    selection: Selection,
    /// The folder of the history, to which the run is added; it is made if it is not there
    #[arg(long, value_name = "DIR")]
    history: PathBuf,
    #[command(flatten)]
    owner: Owner,
    /// End with exit code 6 if a series has no baseline to be judged by
    #[arg(long)]
    require_baseline: bool,
    /// The folder in which the directories of runs are made
    #[arg(long, value_name = "DIR", default_value = "runs")]
    runs: PathBuf,
    /// How often suspects are measured again at once; 0 leaves them suspected
    #[arg(long, value_name = "N", default_value_t = AGAIN)]
    again: usize,
    #[command(flatten)]
    isolation: Isolation,
}

pub(super) fn run(program: &Program, arguments: &NightlyArguments, samples: Option<&PathBuf>) -> anyhow::Result<Exit> {
    let plan = arguments.selection.plan(program, arguments.isolation.executor())?;
    let session = Session { program, samples, inline: arguments.isolation.inline };
    session.verify_data(&plan)?;
    let folder = &arguments.history;
    fs::create_dir_all(folder)
        .map_err(|error| usage(format!("cannot make the folder of the history, {}: {error}", folder.display())))?;
    // Held to the end: two nights at once would measure each other, and add to one file.
    let _lock = RunLock::new(folder)?;
    // What would be found after hours is found now.
    let known = check_history(folder, &arguments.owner.project).map_err(of_reading)?;
    let rules = Rules::read(folder).map_err(of_reading)?;
    let reference = load_reference(folder, plan.suite.name.as_ref())?;
    say_forecast(program, &plan);
    interrupt::listen()?;
    let info = session.describe(&plan, None)?;
    let path = arguments.runs.join(&info.run);
    let add = arguments.owner.add(folder, &path);
    let recorder = Recorder::create(&path, &info)?;
    let finished = session.carry_out(&info, &plan, recorder, Searches::new(&plan));
    let finished =
        finished.with_context(|| format!("the night is not in the history; when its run is whole: {add}"))?;
    let mut exit = exit_of(&finished, plan.is_unsupported());
    // The history matters more than the terminal.
    if let Err(error) = sum_up(&finished, plan.is_unsupported()) {
        say(&format!("note: {error:#}"));
    }
    if exit == Exit::Interrupted {
        say(&format!("note: the run is not in the history; when it is resumed: {add}"));
        return Ok(exit);
    }
    if exit == Exit::NothingToDo {
        return Ok(exit);
    }
    let stored = || format!("the run is stored, but it is not in the history; correct the cause, then: {add}");
    let results = Results::load(&RunDir::new(&path)).map_err(of_reading).with_context(stored)?;
    let new = NewRun::of(&results, Origin::night(), reference.as_ref());
    drop(results);
    say_all(&new.remarks);
    let now = check_history(folder, &arguments.owner.project).map_err(of_reading).with_context(stored)?;
    if now < known {
        let lost =
            format!("{} had {known} runs and known changes before the night, and has {now} now", folder.display());
        return Err(
            anyhow::anyhow!("{lost}: put its history.jsonl back, from version control or a copy").context(stored())
        );
    }
    say_all(&add_runs(folder, &arguments.owner.project, &[new]).map_err(of_reading).with_context(stored)?);
    // What fails from here on is told, and takes nothing away from the verdicts.
    let mut faults = Vec::new();
    if reference.is_none() {
        faults.extend(begin_reference(folder, &path, exit == Exit::SomeCasesFailed).err());
    }
    let (mut history, mut night) = judge(folder, &info.run, &rules)?;
    let suspected = only(&plan, &suspects(&history, &night));
    let rounds = if suspected.cases.is_empty() { 0 } else { arguments.again };
    if rounds > 0 {
        let cases = suspected.cases.iter().filter(|case| case.trial.is_none()).count();
        let what = if cases == 1 {
            "1 case is suspected and is".to_owned()
        } else {
            format!("{cases} cases are suspected and are")
        };
        let times = if rounds == 1 { "once".to_owned() } else { format!("{rounds} times") };
        say(&format!("{what} measured again, {times}"));
    }
    for round in 1..=rounds {
        let path = arguments.runs.join(format!("{}-again{round}", info.run));
        let add = arguments.owner.add(folder, &path);
        let stays = || {
            format!(
                "the night is in the history, but what was measured again is not, so the suspects stay suspected; correct the cause, then: \
                 {}, then: {add}",
                resume(&path)
            )
        };
        let finished = measure_again(&session, &suspected, &info.run, &path).with_context(stays)?;
        if finished.tally.interrupted {
            say(&format!(
                "note: stopped before all suspects were measured again; the verdicts rest on what was measured before. To end this \
                 measurement: {}, then: {add}",
                resume(&path)
            ));
            exit = Exit::Interrupted;
            break;
        }
        if finished.tally.failures > 0 {
            exit = Exit::SomeCasesFailed;
        }
        let results = Results::load(&RunDir::new(&path)).map_err(of_reading).with_context(stays)?;
        let new = NewRun::of(&results, Origin::again(&info.run), reference.as_ref());
        say_all(&new.remarks);
        say_all(&add_runs(folder, &arguments.owner.project, &[new]).map_err(of_reading).with_context(stays)?);
    }
    if rounds > 0 {
        (history, night) = judge(folder, &info.run, &rules)?;
    }
    let text = night_text(&history, &night);
    faults.extend(print(&text, &path).err());
    faults.extend(RunDir::new(&path).write("night.txt", text.as_bytes()).map_err(anyhow::Error::from).err());
    let exit = match verdict_exit(&history, &night, arguments.require_baseline) {
        _ if exit == Exit::Interrupted => Exit::Interrupted,
        // A confirmed regression is said even where a case has failed.
        Exit::Regression => Exit::Regression,
        _ if exit == Exit::SomeCasesFailed => Exit::SomeCasesFailed,
        verdict => verdict,
    };
    match faults.pop() {
        Some(fault) if exit == Exit::Ok => Err(fault.context("the night is in the history")),
        fault => {
            say_all(&fault.into_iter().chain(faults).map(|fault| format!("{fault:#}")).collect::<Vec<_>>());
            Ok(exit)
        }
    }
}

/// Makes the run in `path` the reference of its suite, which has none yet. Scores that failed are no reference.
fn begin_reference(folder: &Path, path: &Path, has_failures: bool) -> anyhow::Result<()> {
    let name = |path: &Path| shell_word(&path.display().to_string());
    let command = format!("bakeoff history reference {} {}", name(folder), name(path));
    if has_failures {
        say(&format!(
            "note: cases failed, so this run is not the reference of scores; to make it one all the same: {command}"
        ));
        return Ok(());
    }
    let kept = set_reference(folder, &RunDir::new(path)).with_context(|| {
        format!(
            "the run is in the history, but it is not kept as the reference of its scores; correct the cause, then: {command}"
        )
    })?;
    say(&format!("note: scores of later nights are tested against this run, which is kept in {}", kept.display()));
    Ok(())
}

fn judge(folder: &Path, run: &str, rules: &Rules) -> anyhow::Result<(History, Night)> {
    let history = History::read(folder).map_err(of_reading)?;
    let index = history.runs.iter().position(|known| known.run == run);
    let index = index.with_context(|| {
        format!("{} has lost the run {run} that was just added: another program wrote to it", folder.display())
    })?;
    let night = history.judge(index, rules);
    Ok((history, night))
}

/// The cells of what is suspected.
fn suspects(history: &History, night: &Night) -> Vec<CellKey> {
    night.suspected_cells(history).into_iter().map(|cell| history.cells[cell].clone()).collect()
}

/// The plan with the cases of these cells alone, and their search trials.
fn only(plan: &Plan, cells: &[CellKey]) -> Plan {
    let mut plan = plan.clone();
    let belongs = |case: &Case, cell: &CellKey| {
        case.task == cell.task
            && case.label == cell.label
            && case.train_size == cell.train_size
            && case.label_noise.to_bits() == cell.label_noise.to_bits()
            && case.fold.map(|fold| fold.folds) == cell.folds
            && case.device == cell.device
    };
    plan.cases.retain(|case| cells.iter().any(|cell| belongs(case, cell)));
    let left: Vec<&String> = plan.cases.iter().map(|case| &case.id).collect();
    plan.searches.retain(|case, _| left.contains(&case));
    plan
}

/// Measures suspects of `night` again, into the folder `path`.
fn measure_again(session: &Session<'_>, plan: &Plan, night: &str, path: &Path) -> anyhow::Result<Finished> {
    let info = RunInfo { again_of: Some(night.to_owned()), ..session.describe(plan, Some(path))? };
    let recorder = Recorder::create(path, &info)?;
    session.carry_out(&info, plan, recorder, Searches::new(plan))
}

fn print(text: &str, path: &Path) -> anyhow::Result<()> {
    match write!(stdout().lock(), "\n{text}night: {}\n", path.join("night.txt").display()) {
        // The reader is gone, but the exit code still says how the night ended.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        printed => Ok(printed?),
    }
}

fn say_all(remarks: &[String]) {
    for remark in remarks {
        say(&format!("note: {remark}"));
    }
}
