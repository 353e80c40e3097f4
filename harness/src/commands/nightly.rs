//! `nightly`: runs a suite, adds the run to the history, judges it, and measures what is suspected again at once.

use std::fs;
use std::io::{self, Write, stderr, stdout};
use std::path::{Path, PathBuf};

use anyhow::Context;
use bakeoff_reports::{
    CellKey, DEFAULT_PROJECT, History, NewRun, Night, Origin, Results, Rules, RunDir, RunKind, add_runs, check_history,
    night_text,
};
use clap::Args;

use super::history::{load_reference, reference_folder, set_reference, verdict_exit};
use super::run::{Isolation, say_forecast, sum_up};
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
    /// Whose history it is; a history of another project is refused
    #[arg(long, value_name = "NAME", default_value = DEFAULT_PROJECT)]
    project: String,
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
    check_history(folder, &arguments.project).map_err(of_reading)?;
    let rules = Rules::read(folder).map_err(of_reading)?;
    let reference = load_reference(folder, plan.suite.name.as_ref())?;
    say_forecast(program, &plan);
    interrupt::listen()?;
    let info = session.describe(&plan, None)?;
    let path = arguments.runs.join(&info.run);
    let recorder = Recorder::create(&path, &info)?;
    let finished = session.carry_out(&info, &plan, recorder, Searches::new(&plan))?;
    let mut exit = sum_up(&finished, plan.is_unsupported())?;
    let add = format!("bakeoff history add {} {}", folder.display(), path.display());
    if exit == Exit::Interrupted {
        say(&format!("note: the run is not in the history; when it is resumed: {add}"));
        return Ok(exit);
    }
    if exit == Exit::NothingToDo {
        return Ok(exit);
    }
    let results = Results::load(&RunDir::new(&path)).map_err(of_reading)?;
    let new = NewRun::of(&results, Origin::night(), reference.as_ref());
    drop(results);
    for remark in &new.remarks {
        say(&format!("note: {remark}"));
    }
    let stored = || format!("the run is stored, but it is not in the history; correct the cause, then: {add}");
    for remark in add_runs(folder, &arguments.project, &[new]).map_err(of_reading).with_context(stored)? {
        say(&format!("note: {remark}"));
    }
    if reference.is_none() {
        set_reference(folder, &RunDir::new(&path)).with_context(|| {
            format!(
                "the run is in the history, but it is not kept as the reference of its scores; correct the cause, then: bakeoff history \
                 reference {} {}",
                folder.display(),
                path.display()
            )
        })?;
        let kept = reference_folder(folder, plan.suite.name.as_ref());
        say(&format!("note: scores of later nights are tested against this run, which is kept in {}", kept.display()));
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
        say(&format!("{what} measured again, {rounds} times"));
    }
    for round in 1..=rounds {
        let path = arguments.runs.join(format!("{}-again{round}", info.run));
        let finished = measure_again(&session, &suspected, &path)?;
        if finished.tally.interrupted {
            say("note: stopped before all suspects were measured again; what is suspected stays so");
            return Ok(Exit::Interrupted);
        }
        if finished.tally.failures > 0 {
            exit = Exit::SomeCasesFailed;
        }
        let origin = Origin { kind: RunKind::Again, of: Some(info.run.clone()), ..Origin::night() };
        let results = Results::load(&RunDir::new(&path)).map_err(of_reading)?;
        let new = NewRun::of(&results, origin, reference.as_ref());
        add_runs(folder, &arguments.project, &[new]).map_err(of_reading).with_context(|| {
            format!(
                "the run is in the history, but what was measured again is not; it is stored in {}, and the suspects stay suspected",
                path.display()
            )
        })?;
    }
    if rounds > 0 {
        (history, night) = judge(folder, &info.run, &rules)?;
    }
    let text = night_text(&history, &night);
    RunDir::new(&path).write("night.txt", text.as_bytes())?;
    print(&text, &path)?;
    Ok(match verdict_exit(&night, arguments.require_baseline) {
        // A confirmed regression is said even where another case has failed.
        Exit::Regression => Exit::Regression,
        verdict if exit == Exit::Ok => verdict,
        _ => exit,
    })
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

fn measure_again(session: &Session<'_>, plan: &Plan, path: &Path) -> anyhow::Result<Finished> {
    let info = session.describe(plan, Some(path))?;
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

/// Writes a line to standard error, which may be closed.
fn say(text: &str) {
    let _ = writeln!(stderr(), "{text}");
}
