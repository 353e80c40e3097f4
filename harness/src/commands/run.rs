//! `run`: train and measure the cases of a suite.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write, stdout};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use bakeoff_datasets::State;
use bakeoff_models::Device;
use bakeoff_reports::{Built, CaseInfo, RunInfo, SCHEMA, TaskInfo};
use clap::Args;
use sha2::{Digest, Sha256};

use super::{Exit, Selection, usage};
use crate::case::Case;
use crate::executor::{ChildProcess, Executor, Inline};
use crate::forecast::forecast;
use crate::interrupt;
use crate::meters;
use crate::plan::Plan;
use crate::program::Program;
use crate::progress;
use crate::recorder::Recorder;
use crate::runner::{self, Tally};
use crate::threads;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    selection: Selection,
    /// The run's directory, which must not exist yet [default: runs/<utc>-<suite>-<id>]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    isolation: Isolation,
    /// Print the cases and run nothing
    #[arg(long)]
    list: bool,
}

/// Where the cases run.
#[derive(Debug, Args)]
pub(super) struct Isolation {
    /// Run the cases inside this process, one at a time, for debuggers and profilers: no time-out, no memory limit, Ctrl-C waits for the case
    #[arg(long)]
    inline: bool,
}

impl Isolation {
    /// Cases at a time: processor time, memory and panics belong to the process, so one that holds all has one.
    pub(super) fn jobs(&self, plan: &Plan) -> usize {
        if self.inline { 1 } else { plan.suite.jobs }
    }

    pub(super) fn executor(&self, program: &Program, samples: Option<&PathBuf>) -> Box<dyn Executor> {
        let samples = samples.cloned();
        if self.inline { Box::new(Inline { program: *program, samples }) } else { Box::new(ChildProcess { samples }) }
    }
}

pub(super) fn run(program: &Program, arguments: &Arguments, samples: Option<&PathBuf>) -> anyhow::Result<Exit> {
    let mut plan = arguments.selection.plan(program)?;
    if arguments.list {
        let mut out = stdout().lock();
        for case in &plan.cases {
            let mark = case.unsupported.as_ref().map_or(String::new(), |reason| format!("  (unsupported: {reason})"));
            writeln!(out, "{}{mark}", case.id)?;
        }
        say_forecast(program, &plan);
        return Ok(Exit::Ok);
    }
    verify_data(program, &plan, samples)?;
    say_forecast(program, &plan);
    interrupt::listen()?;
    let info = describe(program, &plan, arguments.out.as_deref())?;
    let path = arguments.out.clone().unwrap_or_else(|| Path::new("runs").join(&info.run));
    let recorder = Recorder::create(&path, &info)?;
    let executor = arguments.isolation.executor(program, samples);
    prepare(program, &mut plan.cases);
    carry_out(
        program,
        &info,
        &plan.cases,
        (arguments.isolation.jobs(&plan), plan.threads()),
        executor.as_ref(),
        recorder,
    )
}

fn say_forecast(program: &Program, plan: &Plan) {
    if let Some(forecast) = forecast(program, plan) {
        // A line that nobody can read is no reason not to run.
        let _ = writeln!(io::stderr(), "{forecast}");
    }
}

/// A dataset that is not here, or a broken data file, is found before the first case and not in each. A user's own
/// data was read by the plan.
pub(super) fn verify_data(program: &Program, plan: &Plan, samples: Option<&PathBuf>) -> anyhow::Result<()> {
    let store = crate::worker::store(samples);
    let tasks = plan.suite.tasks.iter().filter_map(|entry| program.task(entry.name.as_ref()));
    let files: Vec<_> = tasks.flat_map(|task| task.files()).collect();
    let mut missing = BTreeSet::new();
    for file in &files {
        if store.state(file).map_err(usage)? == State::Missing {
            missing.insert(file.folder());
        }
    }
    if !missing.is_empty() {
        let missing: Vec<_> = missing.into_iter().collect();
        let folder = store.data().map_err(usage)?.display();
        return Err(usage(format!(
            "the suite needs {}, not in {folder}: get it with `bakeoff data fetch {}`",
            missing.join(", "),
            missing.join(" ")
        )));
    }
    files.into_iter().try_for_each(|file| store.check(file)).map_err(usage)
}

/// Tells the cases what only the parent can measure: the idle machine.
pub(super) fn prepare(program: &Program, cases: &mut [Case]) {
    const WINDOW: Duration = Duration::from_secs(1);
    let Some(energy) = cases.first().map(|case| case.energy) else { return };
    let meter = meters::open(&energy, program.machine).ok();
    let idle_w = meter.and_then(|mut meter| meters::idle_watts(meter.as_mut(), program.machine, WINDOW));
    for case in cases {
        case.idle_w = idle_w;
    }
}

/// Runs cases, then writes the report of all that is stored.
pub(super) fn carry_out(
    program: &Program,
    info: &RunInfo,
    cases: &[Case],
    (jobs, threads): (usize, usize),
    executor: &dyn Executor,
    mut recorder: Recorder,
) -> anyhow::Result<Exit> {
    let path = recorder.path().to_owned();
    let primary = info.tasks.iter().map(|task| (task.name.clone(), task.primary.clone())).collect();
    let mut progress = progress::for_stderr(cases.len(), primary);
    let tally = runner::run(cases, jobs, executor, program.machine, &mut recorder, progress.as_mut())?;
    let dir = recorder.finish()?;
    let built = threads::at_most(threads, || bakeoff_reports::build(&dir))?;
    match sum_up(&built, tally, &path) {
        // The reader has left, but how the run ended is still to be told by the exit code.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
        summed_up => summed_up.with_context(|| {
            format!("cannot write to standard output; the run is stored, its report is {}", built.report.display())
        })?,
    }
    Ok(if tally.interrupted {
        Exit::Interrupted
    } else if tally.failures > 0 {
        Exit::SomeCasesFailed
    } else {
        Exit::Ok
    })
}

/// The last lines of a run on the terminal.
fn sum_up(built: &Built, tally: Tally, path: &Path) -> io::Result<()> {
    let mut out = stdout().lock();
    writeln!(out, "{}", built.terminal_table)?;
    for remark in &built.remarks {
        writeln!(out, "note: {remark}")?;
    }
    writeln!(out, "report: {}", built.report.display())?;
    if tally.interrupted {
        writeln!(out, "stopped before all cases were done; to go on: bakeoff resume {}", path.display())?;
    } else if tally.failures > 0 {
        let cases = if tally.failures == 1 { "case" } else { "cases" };
        writeln!(out, "{} {cases} failed; to try again: bakeoff resume {}", tally.failures, path.display())?;
    }
    Ok(())
}

/// Everything about the run that is not a measurement.
fn describe(program: &Program, plan: &Plan, out: Option<&Path>) -> anyhow::Result<RunInfo> {
    let started = program.machine.utc();
    let suite = &plan.suite;
    let run = match out {
        Some(path) => path
            .file_name()
            .and_then(|name| name.to_str())
            .ok_or_else(|| usage(format!("--out {} does not end in a folder's name", path.display())))?
            .to_owned(),
        None => format!("{}-{}-{}", started.replace(['-', ':'], ""), suite.name.as_ref(), run_id(&started)),
    };
    let mut libraries = BTreeMap::new();
    let mut datasets = BTreeMap::new();
    let mut tasks = Vec::new();
    let device = Device::named(suite.device.as_ref());
    for entry in &suite.models {
        if let (Some(model), Some(device)) = (program.model(entry.name.as_ref()), device) {
            libraries.insert(model.name().to_owned(), model.version(device));
        }
    }
    for task in suite.tasks.iter().filter_map(|entry| program.task_or(&plan.own, entry.name.as_ref())) {
        datasets.extend(task.checksums());
        tasks.push(TaskInfo {
            name: task.name().to_owned(),
            version: task.version(),
            about: task.about().to_owned(),
            primary: task.primary().to_owned(),
            unit: task.unit().to_owned(),
            classes: task.classes().to_vec(),
        });
    }
    let energy = meters::open(&suite.energy, program.machine)
        .map_or_else(|reason| format!("none: {reason}"), |meter| meter.source().to_owned());
    Ok(RunInfo {
        schema: SCHEMA,
        run,
        suite: suite.name.as_ref().clone(),
        about: suite.about.clone(),
        started,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        commit: crate::COMMIT.to_owned(),
        toolchain: crate::TOOLCHAIN.to_owned(),
        command: std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect(),
        machine: program.machine.describe(),
        libraries,
        datasets,
        energy,
        tasks,
        cases: plan
            .cases
            .iter()
            .map(|case| CaseInfo {
                case: case.id.clone(),
                task: case.task.clone(),
                label: case.label.clone(),
                model: case.model.clone(),
            })
            .collect(),
        suite_toml: toml::to_string(suite).context("writing the suite as resolved")?,
    })
}

/// Six hexadecimal digits that tell runs of one second apart.
fn run_id(started: &str) -> String {
    let nanos = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.as_nanos());
    let digest = Sha256::digest(format!("{started} {} {nanos}", std::process::id()).as_bytes());
    digest.iter().take(3).map(|byte| format!("{byte:02x}")).collect()
}
