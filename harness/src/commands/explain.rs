//! `explain`: what fitted models learned, side by side for the same examples.

use std::io::{Write, stdout};
use std::path::{Path, PathBuf};

use bakeoff_models::{ArtefactInfo, Device, ModelEntry, Threads, inspect, unknown_name};
use bakeoff_reports::{ExplainedTask, FittedTask, Interpretation, RunDir, RunInfo, interpretation_text};
use clap::Args;

use super::output::check_folder;
use super::say;
use super::{Exit, item, of_reading, print_report};
use crate::case::{Case, Fold};
use crate::explain::{ExplainSettings, ExplainedRows};
use crate::machine::available_cpus;
use crate::plan::{Overrides, Plan};
use crate::program::Program;
use crate::recorder::RunLock;
use crate::rows::Rows;
use crate::session::Session;
use crate::suite::Source;
use crate::tasks::{self, Task};
use crate::usage::usage;
use crate::worker;

#[derive(Debug, Args)]
pub(super) struct ExplainArguments {
    /// The directory of a run with --keep-models, or the folder of one fitted model
    path: PathBuf,
    /// Explain only the models of these tasks, separated by commas; for a single fitted model, the task that it was fitted on
    #[arg(short = 't', long = "task", value_name = "TASK", value_delimiter = ',', value_parser = item::<String>)]
    tasks: Vec<String>,
    /// Explain only these models of a run, by name or label, separated by commas
    #[arg(short = 'm', long = "model", value_name = "MODEL", value_delimiter = ',', value_parser = item::<String>)]
    models: Vec<String>,
    /// Use at most this many test rows
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = positive)]
    rows: usize,
    /// Permute each word or region this many times
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = positive)]
    repeats: usize,
    /// Permute this many words: those most associated with the targets
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = positive)]
    words: usize,
    /// Divide images into N x N regions
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = positive)]
    grid: usize,
    /// Show this many test rows with the answers of every model
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = positive)]
    examples: usize,
    /// Draws the rows and the permutations
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    seed: u64,
    /// Write the page into this folder; a run's page is written into its directory
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

/// The largest number that an option of `explain` takes. A larger one is a typing error.
const MOST: usize = 1_000_000;

fn positive(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(count @ 1..=MOST) => Ok(count),
        _ => Err(format!("expected a whole number in 1..={MOST}")),
    }
}

impl ExplainArguments {
    fn settings(&self) -> ExplainSettings {
        let ExplainArguments { rows, repeats, words, grid, examples, seed, .. } = *self;
        ExplainSettings { rows, repeats, words, grid, examples, seed }
    }
}

pub(super) fn run(program: &Program, arguments: &ExplainArguments, samples: Option<&PathBuf>) -> anyhow::Result<Exit> {
    if let Some(folder) = &arguments.out {
        check_folder(folder, "--out")?;
    }
    let session = Session { program, samples, inline: true };
    if arguments.path.join("artefact.json").exists() {
        return explain_artefact(&session, arguments);
    }
    explain_run(&session, arguments)
}

/// A fitted model in a folder, on the test rows of the task that it has learned. A model that does not say which that is was kept by an
/// older run, and the user names the task.
fn explain_artefact(session: &Session<'_>, arguments: &ExplainArguments) -> anyhow::Result<Exit> {
    let (program, folder) = (session.program, &arguments.path);
    let fitted_on = FittedTask::read(folder).map_err(of_reading)?;
    let name = match (&arguments.tasks[..], &fitted_on) {
        ([name], _) => name,
        ([], Some(FittedTask { task, .. })) => &task.name,
        ([], None) => {
            return Err(usage(format!(
                "{} holds one fitted model, which does not say on which task to explain it: name one with --task, or give the \
                 directory of its run",
                folder.display()
            )));
        }
        _ => {
            return Err(usage(format!(
                "{} holds one fitted model: name one task with --task, or none",
                folder.display()
            )));
        }
    };
    let task = match (program.task(name), &fitted_on) {
        (Some(task), _) => task,
        (None, Some(FittedTask { task, .. })) if task.name == *name => {
            return Err(usage(format!(
                "{} was fitted on task '{name}', which is not in this program, as tasks on own data are not: give the directory of \
                 its run",
                folder.display()
            )));
        }
        (None, _) => {
            let known: Vec<&str> = program.tasks.iter().map(|task| task.name()).collect();
            return Err(usage(unknown_name("task", name, &known)));
        }
    };
    let found = inspect(folder).map_err(usage)?;
    match &fitted_on {
        Some(fitted) => refuse_other_task(folder, fitted, task)?,
        None => say(&format!(
            "note: {} does not say on which task it was fitted, as models of older runs do not. So it is not checked that this was \
             '{name}'",
            folder.display()
        )),
    }
    refuse_other_shape(folder, &found, task)?;
    let model = found.model;
    let entry = program.model(&model).ok_or_else(|| {
        usage(unknown_name("model", &model, &program.models.iter().map(|model| model.name()).collect::<Vec<_>>()))
    })?;
    refuse_characters(task)?;
    let test = task.load(&worker::store(session.samples)).map_err(usage)?.test;
    let rows = ExplainedRows::new(&test, task.primary(), arguments.settings()).map_err(usage)?;
    let mut fitted = entry.load(folder, Threads::new(available_cpus()), Device::Cpu).map_err(usage)?;
    let case = folder.display().to_string();
    let explained = rows.explain(fitted.as_mut(), &case, &model).map_err(usage)?;
    let explained = explained_task(name.clone(), task, &rows, arguments, vec![explained]);
    finish(&Interpretation::new(vec![explained]), arguments.out.as_deref())
}

/// # Errors
/// If `place` was fitted on another task than `task`, or on that task before it changed.
fn refuse_other_task(place: &Path, fitted: &FittedTask, task: &dyn Task) -> anyhow::Result<()> {
    let Some(difference) = fitted.difference(&tasks::info(task)) else { return Ok(()) };
    let remedy = match fitted.task.name == task.name() {
        true => "fit it again, because its answers are of the task as it was",
        false => "name the task that it was fitted on, because its answers mean nothing on another one",
    };
    Err(usage(format!("{} {difference}: {remedy}", place.display())))
}

/// # Errors
/// If `folder` was fitted on inputs or targets of another form than those of `task`.
fn refuse_other_shape(folder: &Path, found: &ArtefactInfo, task: &dyn Task) -> anyhow::Result<()> {
    let (shape, fitted_on) = (tasks::shape(task, 0), &found.shape);
    if (shape.input, shape.target) == (fitted_on.input, fitted_on.target) {
        return Ok(());
    }
    Err(usage(format!(
        "{} was fitted to predict {} from {}, but task '{}' asks for {} from {}: name the task that it was fitted on",
        folder.display(),
        fitted_on.target,
        fitted_on.input,
        task.name(),
        shape.target,
        shape.input
    )))
}

/// Words are permuted with one blank between them, and a model of characters reads every blank and newline.
///
/// # Errors
/// If the task is of characters.
fn refuse_characters(task: &dyn Task) -> anyhow::Result<()> {
    if task.characters().is_none() {
        return Ok(());
    }
    let name = task.name();
    Err(usage(format!("task '{name}' is of characters, and explain permutes words: name other tasks with --task")))
}

/// The kept models of a run.
fn explain_run(session: &Session<'_>, arguments: &ExplainArguments) -> anyhow::Result<Exit> {
    let (program, folder) = (session.program, &arguments.path);
    let dir = RunDir::new(folder);
    let info = dir.info().map_err(of_reading)?;
    let source = Source {
        origin: format!("{}, suite_toml", folder.join("run.json").display()),
        text: info.suite_toml.clone(),
        folder: folder.clone(),
    };
    let plan = Plan::new(program, &source, &Overrides::default()).map_err(usage)?;
    let tasks = chosen(session, &plan, &dir, arguments)?;
    // Nobody else may write into the run meanwhile.
    let lock = if arguments.out.is_none() { Some(RunLock::new(folder)?) } else { None };
    let mut explained = Vec::new();
    for cases in tasks {
        refuse_changed_task(session, &plan, &info, cases[0], folder)?;
        explained.push(explain_cases(session, &plan, &dir, &cases, arguments)?);
    }
    let interpretation = Interpretation::new(explained);
    if arguments.out.is_some() {
        return finish(&interpretation, arguments.out.as_deref());
    }
    // What is not explained now stays on the page. A file that cannot be read is made anew, as its error asks for.
    let mut page = Interpretation::read(&dir).ok().flatten().unwrap_or_else(|| Interpretation::new(Vec::new()));
    for task in page.update(interpretation.clone()) {
        say(&format!(
            "note: task '{task}' was explained with other settings before. Its other models are not on the page any more, because \
             they cannot be compared with these"
        ));
    }
    page.write(&dir)?;
    let built = bakeoff_reports::build(&dir).map_err(of_reading)?;
    drop(lock);
    let mut out = stdout().lock();
    out.write_all(interpretation_text(&interpretation).as_bytes())?;
    print_report(&mut out, &built)?;
    Ok(Exit::Ok)
}

/// # Errors
/// If the task of a case is another one than when the run was begun.
fn refuse_changed_task(
    session: &Session<'_>,
    plan: &Plan,
    info: &RunInfo,
    case: &Case,
    folder: &Path,
) -> anyhow::Result<()> {
    let begun = info.tasks.iter().find(|task| task.name == case.task);
    match begun.zip(plan_task(session, plan, case)) {
        Some((begun, task)) => refuse_other_task(folder, &FittedTask::new(begun.clone()), task),
        None => Ok(()),
    }
}

/// The task of a case; `None` if the program has it no more.
fn plan_task<'a>(session: &Session<'a>, plan: &'a Plan, case: &Case) -> Option<&'a dyn Task> {
    session.program.task_or(&plan.own, &case.task)
}

/// The cases to explain: of each task and fold, the first of each label whose model was kept.
fn chosen<'a>(
    session: &Session<'_>,
    plan: &'a Plan,
    dir: &RunDir,
    arguments: &ExplainArguments,
) -> anyhow::Result<Vec<Vec<&'a Case>>> {
    let scored = || plan.cases.iter().filter(|case| case.trial.is_none());
    let named = |kind: &str, wanted: &[String], is_of: fn(&Case, &str) -> bool, known: fn(&Case) -> &str| {
        let unknown = wanted.iter().find(|name| !scored().any(|case| is_of(case, name)));
        let Some(name) = unknown else { return Ok(()) };
        let mut known: Vec<&str> = scored().map(known).collect();
        known.sort_unstable();
        known.dedup();
        Err(usage(format!("in this run: {}", unknown_name(kind, name, &known))))
    };
    named("task", &arguments.tasks, |case, name| case.task == name, |case| &case.task)?;
    named("model", &arguments.models, |case, name| case.label == name || case.model == name, |case| &case.label)?;
    let is_wanted = |case: &&Case| {
        (arguments.tasks.is_empty() || arguments.tasks.contains(&case.task))
            && (arguments.models.is_empty()
                || arguments.models.contains(&case.label)
                || arguments.models.contains(&case.model))
            && session.program.model_or(case.external.as_slice(), &case.model).is_some()
            && dir.model_path(&case.id).is_dir()
    };
    let mut groups: Vec<Vec<&Case>> = Vec::new();
    let fold = |case: &Case| case.fold.map(|Fold { fold, repeat, .. }| (repeat, fold));
    let mut left_out = 0;
    for case in scored().filter(is_wanted) {
        match groups.iter_mut().find(|group| group[0].task == case.task) {
            None => groups.push(vec![case]),
            // The same test rows for all of them.
            Some(group) if fold(group[0]) == fold(case) && group.iter().all(|other| other.label != case.label) => {
                group.push(case);
            }
            Some(_) => left_out += 1,
        }
    }
    if arguments.tasks.is_empty() && groups.len() > 1 {
        // A task that the user names is refused with the reason; others must not suffer from it.
        let is_of_words =
            |cases: &Vec<&Case>| plan_task(session, plan, cases[0]).is_none_or(|task| task.characters().is_none());
        let (kept, others): (Vec<_>, Vec<_>) = groups.into_iter().partition(is_of_words);
        groups = if kept.is_empty() { others } else { kept };
    }
    if groups.is_empty() {
        return Err(usage(format!(
            "{} has no fitted model to explain: run the suite with --keep-models, and wait until a case has ended",
            dir.path().display()
        )));
    }
    if left_out > 0 {
        say(&format!(
            "note: of each model and task, the first fitted model is explained; those of other seeds, sizes and folds are not \
             ({left_out})"
        ));
    }
    Ok(groups)
}

/// Explains the models of one task.
fn explain_cases<'a>(
    session: &Session<'_>,
    plan: &Plan,
    dir: &RunDir,
    cases: &[&'a Case],
    arguments: &ExplainArguments,
) -> anyhow::Result<ExplainedTask> {
    let program = session.program;
    let first = cases[0];
    let task = program
        .task_or(&plan.own, &first.task)
        .ok_or_else(|| usage(format!("the program has no task '{}' any more", first.task)))?;
    refuse_characters(task)?;
    let splits = task.load(&worker::store(session.samples)).map_err(usage)?;
    let entry = |case: &'a Case| -> anyhow::Result<&'a dyn ModelEntry> {
        program
            .model_or(case.external.as_slice(), &case.model)
            .ok_or_else(|| usage(format!("the program has no model '{}' any more", case.model)))
    };
    let test = Rows::choose(splits, first, entry(first)?).test;
    let rows = ExplainedRows::new(&test, task.primary(), arguments.settings())
        .map_err(|error| usage(format!("task '{}': {error}", first.task)))?;
    let mut explained = Vec::with_capacity(cases.len());
    for case in cases {
        say(&format!("explaining {} on {} test rows", case.id, rows.rows()));
        let device = Device::named(&case.device).map_err(usage)?;
        let place = dir.model_path(&case.id);
        let mut fitted = entry(case)?.load(&place, Threads::new(case.threads), device).map_err(usage)?;
        let of_case = rows.explain(fitted.as_mut(), &case.id, &case.label);
        explained.push(of_case.map_err(|error| usage(format!("case '{}': {error}", case.id)))?);
    }
    let fold = first.fold.map_or(String::new(), |Fold { fold, repeat, .. }| format!(", fold r{repeat}f{fold}"));
    Ok(explained_task(format!("{}{fold}", first.task), task, &rows, arguments, explained))
}

fn explained_task(
    title: String,
    task: &dyn Task,
    rows: &ExplainedRows,
    arguments: &ExplainArguments,
    models: Vec<bakeoff_reports::ExplainedModel>,
) -> ExplainedTask {
    ExplainedTask {
        title,
        metric: task.primary().to_owned(),
        rows: rows.rows(),
        repeats: arguments.repeats,
        seed: arguments.seed,
        examples: rows.examples(),
        models,
    }
}

/// Prints the interpretation, and writes it into a folder if one is named.
fn finish(interpretation: &Interpretation, out: Option<&Path>) -> anyhow::Result<Exit> {
    // First the files, because nobody may read what is printed.
    if let Some(folder) = out {
        interpretation.write(&RunDir::new(folder))?;
    }
    let mut stream = stdout().lock();
    stream.write_all(interpretation_text(interpretation).as_bytes())?;
    if let Some(folder) = out {
        writeln!(stream, "page: {}", folder.join("interpretation.html").display())?;
    }
    Ok(Exit::Ok)
}
