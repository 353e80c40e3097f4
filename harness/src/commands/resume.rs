//! `resume`: continues a run that was stopped, and runs its failed cases again.

use std::io::{Write, stdout};
use std::path::PathBuf;

use anyhow::Context;
use bakeoff_models::Device;
use bakeoff_reports::{DeviceInfo, Results, RunDir, RunInfo, SCHEMA};
use clap::Args;

use super::run::{Isolation, say_remarks, sum_up};
use super::say;
use super::{Exit, of_reading, print_report};
use crate::devices;
use crate::executor::slurm;
use crate::forecast::counted;
use crate::interrupt;
use crate::plan::{Overrides, Plan};
use crate::program::Program;
use crate::recorder::{Kept, Recorder, RunLock};
use crate::search::Searches;
use crate::session::Session;
use crate::suite::Source;
use crate::usage::usage;

#[derive(Debug, Args)]
pub(super) struct ResumeArguments {
    /// The run's directory
    run: PathBuf,
    #[command(flatten)]
    isolation: Isolation,
}

pub(super) fn run(program: &Program, arguments: &ResumeArguments, samples: Option<&PathBuf>) -> anyhow::Result<Exit> {
    let info = RunDir::new(&arguments.run).info().map_err(of_reading)?;
    let folder = arguments.run.display().to_string();
    refuse_older(&info, &folder)?;
    let origin = arguments.run.join("run.json").display().to_string();
    let source = Source {
        origin: format!("{origin}, suite_toml"),
        text: info.suite_toml.clone(),
        folder: arguments.run.clone(),
    };
    let overrides = Overrides { executor: arguments.isolation.executor(), ..Overrides::default() };
    let mut plan = Plan::new(program, &source, &overrides).map_err(usage)?;
    refuse_incomparable(program, &info, &plan, &folder)?;
    let session = Session { program, samples, inline: arguments.isolation.inline };
    if plan.slurm().is_none() && slurm::is_at_work(&RunDir::new(&arguments.run)) {
        return Err(usage(format!(
            "tasks on Slurm may be at work on {folder}, or have left outcomes in it: resume it with --executor slurm; to give them up, \
             cancel them with scancel and remove {folder}/slurm"
        )));
    }
    session.verify_data(&plan)?;
    for (file, sha256) in session.files_of_models(&plan)? {
        if info.datasets.get(&file).is_some_and(|begun| *begun != sha256) {
            return Err(usage(format!("cannot resume {folder}: the file {file} has changed; start a new run")));
        }
    }
    if info.commit != crate::COMMIT {
        say(&format!(
            "note: the run was begun by commit {}, this is {}; each row says which",
            info.commit,
            crate::COMMIT
        ));
    }
    // Before anything is read that another process may be writing.
    let lock = RunLock::new(&arguments.run)?;
    // A fault that the report would find after hours is found now.
    let results = Results::load(&RunDir::new(&arguments.run)).map_err(of_reading)?;
    let stored = |plan: &Plan| -> anyhow::Result<Searches> {
        // Reading the rows of thousands of cases once more takes seconds.
        if plan.searches.is_empty() {
            return Ok(Searches::new(plan));
        }
        Ok(Searches::stored(plan, &RunDir::new(&arguments.run).records().map_err(of_reading)?.rows))
    };
    let before = stored(&plan)?;
    let as_run: Vec<_> = plan.cases.iter().map(|case| before.as_run(case)).collect();
    let (recorder, Kept { done, damaged, unclosed, waiting }) =
        Recorder::resume(&arguments.run, lock, &info, &as_run, &results)?;
    drop(results);
    for (again, because) in [
        (&damaged, "predictions, readings, epochs or the kept model are missing or cut off"),
        (&waiting, "the parameters follow from search trials that are run again"),
    ] {
        if !again.is_empty() {
            let are_run = if again.len() == 1 { "is run" } else { "are run" };
            let (cases, ids) = (counted(again.len(), "case"), again.join(", "));
            say(&format!("note: {cases} {are_run} again, because {because}: {ids}"));
        }
    }
    match &unclosed[..] {
        [] => {}
        [case] => say(&format!("note: case {case} has no closing row in records.csv: it is measured again")),
        cases => say(&format!(
            "note: {} have no closing row in records.csv: they are measured again: {}",
            counted(cases.len(), "case"),
            cases.join(", ")
        )),
    }
    // Without the search trials that it dropped.
    let searches = stored(&plan)?;
    let is_unsupported = plan.is_unsupported();
    plan.cases.retain(|case| !done.contains(&case.id));
    if plan.cases.is_empty() {
        let dir = RunDir::new(&arguments.run);
        // The program was stopped after its last case.
        if !dir.report_path().exists() {
            say(&format!("{}, and the report was missing", all_done(done.len())));
            let built = bakeoff_reports::build(&dir).map_err(of_reading).with_context(|| {
                format!("the results are stored, but not the report; correct the cause, then: bakeoff report {folder}")
            })?;
            print_report(&mut stdout().lock(), &built)?;
            return Ok(if is_unsupported { Exit::NothingToDo } else { Exit::Ok });
        }
        writeln!(stdout(), "nothing to do in {}: {}", arguments.run.display(), all_done(done.len()))?;
        return Ok(Exit::NothingToDo);
    }
    if let Some(slurm) = session.slurm(&plan, &RunDir::new(&arguments.run))? {
        slurm.check(&plan.cases)?;
    }
    // It would be of fewer cases. If the program is stopped once more, its absence says that it is to be made.
    let _ = std::fs::remove_file(RunDir::new(&arguments.run).report_path());
    let are = |n: usize| if n == 1 { "is" } else { "are" };
    let (done, left) = (done.len(), plan.cases.len());
    say(&format!("{} {} done, {left} {} left", counted(done, "case"), are(done), are(left)));
    say_remarks(program, &plan);
    interrupt::listen()?;
    sum_up(&session.carry_out(&info, &plan, recorder, searches)?, is_unsupported)
}

/// `all 5 cases are done`.
fn all_done(cases: usize) -> String {
    if cases == 1 { "the only case is done".to_owned() } else { format!("all {cases} cases are done") }
}

/// Refuses a run of an older schema. The rows of a run have one schema, and an older program may have measured in
/// another way. `report` still reads such a run.
fn refuse_older(info: &RunInfo, folder: &str) -> anyhow::Result<()> {
    if info.schema == SCHEMA {
        return Ok(());
    }
    Err(usage(format!(
        "cannot resume {folder}: bakeoff {} began it with schema {}, and this one writes {SCHEMA}; resume it with that bakeoff, \
         or start a new run (bakeoff report still reads this one)",
        info.version, info.schema
    )))
}

/// Refuses to add rows that could not be compared with those of the run: the machine, the versions of tasks and models,
/// the data and the cases must be the same.
fn refuse_incomparable(program: &Program, info: &RunInfo, plan: &Plan, folder: &str) -> anyhow::Result<()> {
    let refuse = |what: String| Err(usage(format!("cannot resume {folder}: {what}; start a new run")));
    let machine = program.machine.describe();
    // Rows that other machines measure say on which.
    let is_here = plan.slurm().is_none();
    if is_here && machine.fingerprint != info.machine.fingerprint {
        let name = |m: &bakeoff_reports::MachineInfo| format!("{} ({} cpus, {})", m.fingerprint, m.cpus, m.cpu);
        return refuse(format!("it was begun on machine {}, this is {}", name(&info.machine), name(&machine)));
    }
    for begun in info.devices.iter().filter(|_| is_here) {
        let now = Device::named(&begun.device).and_then(|device| devices::find(program.machine, device));
        if !now.as_ref().is_ok_and(|now| now.fingerprint == begun.fingerprint) {
            let name = |device: &DeviceInfo| format!("{} ({})", device.fingerprint, device.name);
            let now = now.map_or_else(|why| format!("absent ({why})"), |now| name(&now));
            return refuse(format!("its device {} was {}, is {now} now", begun.device, name(begun)));
        }
    }
    for task in &info.tasks {
        let Some(now) = program.task_or(&plan.own, &task.name) else {
            return refuse(format!("there is no task '{}' now", task.name));
        };
        for (file, sha256) in now.checksums() {
            if info.datasets.get(&file).is_some_and(|begun| *begun != sha256) {
                return refuse(format!("the data file {file} has changed"));
            }
        }
        if now.version() != task.version {
            return refuse(format!("task '{}' was version {}, is {} now", task.name, task.version, now.version()));
        }
    }
    for case in &info.cases {
        let (model, begun) = (&case.model, &case.model_version);
        let now = program.model_version(&plan.external, model, &case.device);
        if now.as_ref() != Some(begun) {
            let now = now.unwrap_or_else(|| "absent".to_owned());
            return refuse(format!("model '{model}' was version {begun}, is {now} now"));
        }
    }
    let planned: Vec<_> = plan.cases.iter().map(|case| &case.id).collect();
    let begun: Vec<_> = info.cases.iter().map(|case| &case.case).collect();
    if planned != begun {
        return refuse("its suite has other cases now".to_owned());
    }
    Ok(())
}
