//! `run`: trains and measures the cases of a suite.

use std::io::{self, Write, stdout};
use std::path::{Path, PathBuf};

use anyhow::Context;
use bakeoff_reports::RunDir;
use clap::Args;

use super::{Exit, Selection, print_report};
use crate::forecast::{counted, forecast, measured, remarks};
use crate::interrupt;
use crate::plan::Plan;
use crate::program::Program;
use crate::recorder::Recorder;
use crate::search::Searches;
use crate::session::{Finished, Session};
use crate::suite::ExecutorKind;
use crate::usage::usage;

#[derive(Debug, Args)]
pub(super) struct RunArguments {
    #[command(flatten)]
    selection: Selection,
    /// The run's directory, which must not exist yet [default: runs/<utc>-<suite>-<id>]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    isolation: Isolation,
    /// Print the cases and run nothing; standard error says which data and weights are missing, and the exit code is 0 all the same
    #[arg(long)]
    list: bool,
    /// Print the scripts that --executor slurm would submit first, and submit nothing
    #[arg(long, conflicts_with_all = ["list", "inline"])]
    dry_run: bool,
}

/// Where the cases run.
#[derive(Debug, Args)]
pub(super) struct Isolation {
    /// Run the cases inside this process, one at a time, for debuggers and profilers: no time-out, no memory limit, Ctrl-C waits for the case
    #[arg(long)]
    pub(super) inline: bool,
    /// What carries out the cases, instead of what the suite says [default: process]
    #[arg(long, value_enum, value_name = "EXECUTOR", conflicts_with = "inline")]
    executor: Option<ExecutorKind>,
}

impl Isolation {
    /// What carries out the cases, if the command line says so.
    pub(super) fn executor(&self) -> Option<ExecutorKind> {
        if self.inline { Some(ExecutorKind::Process) } else { self.executor }
    }
}

pub(super) fn run(program: &Program, arguments: &RunArguments, samples: Option<&PathBuf>) -> anyhow::Result<Exit> {
    let plan = arguments.selection.plan(program, arguments.isolation.executor())?;
    let session = Session { program, samples, inline: arguments.isolation.inline };
    if arguments.list {
        return list(&session, &plan);
    }
    if arguments.dry_run {
        return dry_run(&session, &plan, arguments.out.as_deref());
    }
    session.verify_data(&plan)?;
    say_forecast(program, &plan);
    interrupt::listen()?;
    let info = session.describe(&plan, arguments.out.as_deref())?;
    let path = arguments.out.clone().unwrap_or_else(|| Path::new("runs").join(&info.run));
    if let Some(slurm) = session.slurm(&plan, &RunDir::new(&path))? {
        slurm.check(&plan.cases)?;
    }
    let recorder = Recorder::create(&path, &info)?;
    sum_up(&session.carry_out(&info, &plan, recorder, Searches::new(&plan))?, plan.is_unsupported())
}

/// Prints the cases. What there will be to do is known before any data is there, so missing data is no fault here.
fn list(session: &Session<'_>, plan: &Plan) -> anyhow::Result<Exit> {
    let mut out = stdout().lock();
    for case in &plan.cases {
        let mark = case.unsupported.as_ref().map_or(String::new(), |reason| format!("  (unsupported: {reason})"));
        writeln!(out, "{}{mark}", case.id)?;
    }
    if let Some(measured) = measured(plan) {
        // The list is complete even if nobody can read standard error.
        let _ = writeln!(io::stderr(), "{measured}");
    }
    say_forecast(session.program, plan);
    let missing = session.missing(plan).unwrap_or_else(|error| Some(format!("{error:#}")));
    let no_device = session.devices(plan).err().map(|error| error.to_string());
    for line in missing.iter().chain(&no_device).flat_map(|missing| missing.lines()) {
        let _ = writeln!(io::stderr(), "note: not ready to run: {line}");
    }
    Ok(Exit::Ok)
}

/// Prints what would be submitted to Slurm.
fn dry_run(session: &Session<'_>, plan: &Plan, path: Option<&Path>) -> anyhow::Result<Exit> {
    let run = RunDir::new(path.unwrap_or(Path::new("runs/xxxxxx")));
    let slurm = session.slurm(plan, &run)?.ok_or_else(|| {
        usage("--dry-run prints what is submitted to Slurm, and the cases run on this machine: add --executor slurm, or use --list")
    })?;
    let (scripts, remark) = slurm.dry_run(&plan.cases)?;
    let mut out = stdout().lock();
    write!(out, "{}", scripts.join("\n"))?;
    let waiting = plan.cases.iter().filter(|case| case.unsupported.is_none() && case.waits_for > 0).count();
    let others = match waiting {
        0 => String::new(),
        cases => {
            format!("; {} follow when the search trials that they wait for have ended", counted(cases, "more case"))
        }
    };
    let stand = "xxxxxx stands for what is drawn when the run begins";
    for line in remark.into_iter().chain([format!("{}{others}; {stand}", counted(scripts.len(), "script"))]) {
        let _ = writeln!(io::stderr(), "note: {line}");
    }
    Ok(Exit::Ok)
}

pub(super) fn say_forecast(program: &Program, plan: &Plan) {
    if let Some(forecast) = forecast(program, plan) {
        // The run goes on even if nobody can read standard error any more.
        let _ = writeln!(io::stderr(), "{forecast}");
    }
    say_remarks(program, plan);
}

/// Writes to standard error what the user must know of the plan.
pub(super) fn say_remarks(program: &Program, plan: &Plan) {
    for remark in remarks(plan, &program.machine.describe()) {
        let _ = writeln!(io::stderr(), "note: {remark}");
    }
}

/// Prints the last lines of a run on the terminal. Returns its exit code. `is_unsupported`: no case of the run was one that a model can
/// do.
pub(super) fn sum_up(finished: &Finished, is_unsupported: bool) -> anyhow::Result<Exit> {
    match print(finished, is_unsupported) {
        // The reader is gone, but the exit code still says how the run ended.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
        printed => printed.with_context(|| {
            let report = finished.built.report.display();
            format!("cannot write to standard output; the run is stored, its report is {report}")
        })?,
    }
    Ok(exit_of(finished, is_unsupported))
}

/// The exit code of a run. `is_unsupported`: no case of the run was one that a model can do.
pub(super) fn exit_of(finished: &Finished, is_unsupported: bool) -> Exit {
    if finished.tally.interrupted {
        Exit::Interrupted
    } else if finished.tally.failures > 0 {
        Exit::SomeCasesFailed
    } else if is_unsupported {
        Exit::NothingToDo
    } else {
        Exit::Ok
    }
}

fn print(Finished { path, built, tally }: &Finished, is_unsupported: bool) -> io::Result<()> {
    let mut out = stdout().lock();
    print_report(&mut out, built)?;
    let path = path.display();
    if tally.interrupted {
        writeln!(out, "stopped before all cases were done; to go on: bakeoff resume {path}")?;
    } else if tally.failures > 0 {
        let cases = if tally.failures == 1 { "case" } else { "cases" };
        writeln!(out, "{} {cases} failed; to try again: bakeoff resume {path}", tally.failures)?;
    } else if is_unsupported {
        writeln!(out, "nothing was measured: every case is unsupported, and its row says why")?;
    }
    Ok(())
}
