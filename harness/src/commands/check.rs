//! `check`: plans a suite, shows what its data holds, and makes one short pass of every case. So an overnight run does
//! not fail at its end for a reason that could have been seen before.

use std::collections::BTreeMap;
use std::io::{self, Write, stdout};
use std::path::PathBuf;

use bakeoff_datasets::{Leakage, Split, Splits, Targets, class_counts, leakage, repeated_inputs};
use bakeoff_models::{ModelEntry, UNLABELLED};

use super::run::say_remarks;
use super::{Exit, Selection};
use crate::case::Case;
use crate::executor::{ChildProcess, Local};
use crate::forecast::{counted, measured};
use crate::interrupt;
use crate::load::LatencyConfig;
use crate::plan::Plan;
use crate::program::Program;
use crate::protocol::Event;
use crate::rows::{self, GivenRows, LearnedRows, listed};
use crate::session::Session;
use crate::tasks::Task;
use crate::threads;
use crate::usage::usage;
use crate::wordless;
use crate::worker;

/// How many training rows and test rows a short pass has.
const TRAIN_ROWS: usize = 100;
const TEST_ROWS: usize = 20;
/// The parameters that decide how long a model learns, and the largest value of each in a short pass.
const SHORT: [(&str, usize); 5] =
    [("epochs", 1), ("fine_tune", 1), ("trees", 2), ("ensemble", 2), (UNLABELLED, TRAIN_ROWS)];

/// The arguments of `check`.
#[derive(Debug, clap::Args)]
pub(super) struct CheckArguments {
    #[command(flatten)]
    selection: Selection,
    /// Check built-in models, too, for what every model promises, such as the order of its predictions; programs are always checked
    #[arg(long)]
    conformance: bool,
}

pub(super) fn run(program: &Program, arguments: &CheckArguments, samples: Option<&PathBuf>) -> anyhow::Result<Exit> {
    let plan = arguments.selection.plan(program, None)?;
    let session = Session { program, samples, inline: false };
    session.verify_data(&plan)?;
    session.devices(&plan)?;
    say_remarks(program, &plan);
    interrupt::listen()?;
    let mut out = stdout();
    if let Some(measured) = measured(&plan) {
        writeln!(out, "{measured}")?;
    }
    for entry in &plan.suite.tasks {
        let Some(task) = program.task_or(&plan.own, entry.name.as_ref()) else { continue };
        describe(&mut out, program, &plan, task, samples)?;
    }
    let executor = ChildProcess { samples: samples.cloned(), run: None, metering: None };
    let (mut failures, mut unsupported, mut runs) = (0, 0, Vec::new());
    // The first search trial has the parameters of the case that it is for. The others only differ in theirs.
    let cases: Vec<&Case> = plan.cases.iter().filter(|case| case.trial.is_none()).collect();
    for case in &cases {
        let verdict = match &case.unsupported {
            Some(reason) => {
                unsupported += 1;
                format!("unsupported: {reason}")
            }
            None => {
                let Some(outcome) = executor.run(&tiny(case), &mut |_| {}) else { return Ok(Exit::Interrupted) };
                if outcome.status.is_failure() {
                    failures += 1;
                    format!("{}: {}", outcome.status, outcome.note)
                } else {
                    runs.push(*case);
                    "can run".to_owned()
                }
            }
        };
        writeln!(out, "{}: {verdict}", case.id)?;
    }
    // One case for each model, task and device; seeds and sizes change no promise.
    let is_first = |(at, case): &(usize, &Case)| {
        runs[..*at]
            .iter()
            .all(|other| (&other.label, &other.task, &other.device) != (&case.label, &case.task, &case.device))
    };
    let mut broken = 0;
    for (_, case) in runs.iter().copied().enumerate().filter(is_first) {
        if case.external.is_none() && !arguments.conformance {
            continue;
        }
        let Some(promises) = broken_promises(&executor, case) else { return Ok(Exit::Interrupted) };
        broken += usize::from(!promises.is_empty());
        let verdict = if promises.is_empty() { "keeps what a model promises" } else { "breaks what a model promises:" };
        writeln!(out, "{} on {}: {verdict}", case.label, case.task)?;
        for promise in promises {
            writeln!(out, "  {promise}")?;
        }
    }
    let trials = match plan.cases.len() - cases.len() {
        0 => String::new(),
        trials => format!("; their {trials} search trials were not tried"),
    };
    let cases = cases.len();
    let ready = cases - failures - unsupported;
    writeln!(
        out,
        "{ready} of {} {} ready ({unsupported} unsupported){trials}",
        counted(cases, "case"),
        if ready == 1 || cases == 1 { "is" } else { "are" }
    )?;
    Ok(if failures + broken > 0 {
        Exit::SomeCasesFailed
    } else if plan.is_unsupported() {
        Exit::NothingToDo
    } else {
        Exit::Ok
    })
}

/// The promises that the model of a case breaks, on few rows. `None` if the user interrupted it.
fn broken_promises(executor: &ChildProcess, case: &Case) -> Option<Vec<String>> {
    let mut broken = Vec::new();
    let outcome = executor.conform(&tiny(case), &mut |event| {
        if let Event::BrokenPromise(promise) = event {
            broken.push(promise);
        }
    })?;
    if outcome.status.is_failure() {
        broken.push(outcome.note);
    }
    Some(broken)
}

/// Writes what a task asks, what the user's own data holds, and which rows its cases learn from.
fn describe(
    out: &mut impl Write,
    program: &Program,
    plan: &Plan,
    task: &dyn Task,
    samples: Option<&PathBuf>,
) -> anyhow::Result<()> {
    writeln!(out, "task {}: {}", task.name(), task.about())?;
    let own = plan.own.iter().find(|own| own.name() == task.name());
    if let Some(own) = own {
        for line in threads::at_most(plan.threads(), || own.survey()).map_err(usage)?.to_string().lines() {
            writeln!(out, "  {line}")?;
        }
    }
    let splits = threads::at_most(plan.threads(), || task.load(&worker::store(samples))).map_err(usage)?;
    let scored = || plan.cases.iter().filter(|case| case.trial.is_none());
    let cases: Vec<&Case> = scored().filter(|case| case.task == task.name()).collect();
    // What the parameters of a program mean, only the program knows.
    let built_in = cases.iter().filter(|case| case.external.is_none());
    for line in wordless::lines(built_in.map(|case| (case.label.as_str(), &case.params)), &splits) {
        writeln!(out, "  {line}")?;
    }
    let mut sizes: Vec<usize> = cases.iter().map(|case| case.train_size).collect();
    sizes.sort_unstable();
    sizes.dedup();
    for size in sizes {
        let cases: Vec<&Case> = cases.iter().copied().filter(|case| case.train_size == size).collect();
        let folds = cases.iter().find_map(|case| case.fold).map(|fold| fold.folds);
        if let Some(folds) = folds {
            write_folds(out, &splits.train, size, folds)?;
        }
        write_learned(out, program, &cases, &splits.train)?;
        // The survey of a user's own data has said how many of all rows leak.
        if own.is_none() || size < splits.train.len() || folds.is_some() {
            write_leakage(out, &cases, &splits)?;
        }
        write_unlabelled_leakage(out, program, &cases, &splits)?;
    }
    Ok(())
}

/// How rows are divided into folds, and which classes have fewer rows than there are folds.
fn write_folds(out: &mut impl Write, train: &Split, size: usize, folds: usize) -> io::Result<()> {
    writeln!(out, "  {folds} folds of {size} rows: each is scored once, by a model that learned from the others")?;
    let Targets::Classes { names, .. } = &train.targets else { return Ok(()) };
    // Rows are drawn with each class's share of all rows.
    let expected = |count: usize| (count * size) as f64 / train.len() as f64;
    let rare = names.iter().zip(class_counts(&train.targets)).filter(|(_, count)| expected(*count) < folds as f64);
    let rare: Vec<String> = rare.map(|(name, _)| name.clone()).collect();
    if !rare.is_empty() {
        let (count, names) = (rare.len(), listed(&rare));
        writeln!(out, "    classes with fewer rows than folds ({count}), which some folds lack: {names}")?;
    }
    Ok(())
}

/// How many rows the models learn from in these cases of one task and size, and which classes have too few.
fn write_learned(out: &mut impl Write, program: &Program, cases: &[&Case], train: &Split) -> io::Result<()> {
    let mut groups: Vec<((LearnedRows, usize), Vec<&str>)> = Vec::new();
    for case in cases {
        let Some(model) = program.model_or(case.external.as_slice(), &case.model) else { continue };
        if groups.iter().any(|(_, labels)| labels.contains(&case.label.as_str())) {
            continue;
        }
        let labelled = learned_in_every_fold(model, train, &cases_alike(cases, case));
        let learned = (labelled, case.unlabelled_rows(model));
        match groups.iter_mut().find(|(other, _)| *other == learned) {
            Some((_, labels)) => labels.push(&case.label),
            None => groups.push((learned, vec![&case.label])),
        }
    }
    for ((learned, unlabelled), labels) in groups {
        let learn = if labels.len() == 1 { "learns" } else { "learn" };
        let aside = match cases.first().map_or(0, |case| case.given_rows()) - learned.examples {
            0 => String::new(),
            rows => format!("; {rows} are for validation"),
        };
        let more = match unlabelled {
            0 => String::new(),
            rows => format!("; {rows} more are given without labels"),
        };
        let (labels, examples) = (labels.join(", "), learned.examples);
        writeln!(out, "  {labels} {learn} from {examples} of {} rows{aside}{more}", train.len())?;
        let Some(classes) = &learned.classes else { continue };
        for (what, names) in [("no row", &classes.without_rows), ("one row", &classes.with_one_row)] {
            if !names.is_empty() {
                writeln!(out, "    classes with {what} among them ({}): {}", names.len(), listed(names))?;
            }
        }
    }
    Ok(())
}

/// The cases of the same label, seed and label noise: one, or one for each fold.
fn cases_alike<'a>(cases: &[&'a Case], case: &Case) -> Vec<&'a Case> {
    let is_alike =
        |other: &&&Case| (&other.label, other.seed, other.label_noise) == (&case.label, case.seed, case.label_noise);
    cases.iter().filter(is_alike).copied().collect()
}

/// The rows that a model learns from in the first of these cases, and the classes that have too few in any of them.
fn learned_in_every_fold(model: &dyn ModelEntry, train: &Split, cases: &[&Case]) -> LearnedRows {
    let of_case = |case: &&Case| {
        let GivenRows { mut rows, noisy, .. } = rows::given(train, case);
        if let Some((targets, _)) = noisy {
            rows.targets = targets;
        }
        LearnedRows::by(model, &rows, case)
    };
    let mut all = cases.iter().map(of_case);
    let mut first = all.next().expect("a case is like itself");
    for other in all {
        if let (Some(classes), Some(others)) = (&mut first.classes, other.classes) {
            for (names, more) in
                [(&mut classes.without_rows, others.without_rows), (&mut classes.with_one_row, others.with_one_row)]
            {
                names.extend(more.into_iter().filter(|name| !names.contains(name)).collect::<Vec<_>>());
            }
        }
    }
    first
}

/// Writes how many test rows are among the rows given to these cases of one task and size: the fewest and the most of a
/// seed.
fn write_leakage(out: &mut impl Write, cases: &[&Case], splits: &Splits) -> io::Result<()> {
    // Which rows a case gets follows from task, size, seed and fold: the models share them.
    let mut distinct: Vec<&Case> = Vec::new();
    for case in cases {
        // All rows are the same rows for every seed.
        let is_all = case.train_size == splits.train.len();
        if !distinct.iter().any(|other| other.fold == case.fold && (is_all || other.seed == case.seed)) {
            distinct.push(case);
        }
    }
    let leakage_of = |case: &&Case| {
        let GivenRows { rows, fold, .. } = rows::given(&splits.train, case);
        leakage(&rows, fold.as_ref().unwrap_or(&splits.test))
    };
    let found: Vec<Leakage> = distinct.iter().map(leakage_of).collect();
    let leaked = range(found.iter().map(|found| found.examples));
    let other = range(found.iter().map(|found| found.other_target));
    let Some(case) = cases.first() else { return Ok(()) };
    let (test_rows, train_rows) = match case.fold {
        Some(_) => ("the rows of a fold".to_owned(), "rows of the other folds".to_owned()),
        None => (format!("{} test rows", splits.test.len()), format!("{} training rows", case.train_size)),
    };
    writeln!(
        out,
        "  leakage: {leaked} of {test_rows} also occur in the {train_rows} ({other} of them with a different target)"
    )
}

/// Writes how many test rows are among the unlabelled rows that these cases of one task and size are given, for each number of such
/// rows: the fewest and the most of a seed or fold.
fn write_unlabelled_leakage(
    out: &mut impl Write,
    program: &Program,
    cases: &[&Case],
    splits: &Splits,
) -> io::Result<()> {
    // Which rows these are follows from task, size, number, seed and fold: the models share them.
    let mut leaked: BTreeMap<usize, Vec<(&Case, usize)>> = BTreeMap::new();
    for &case in cases {
        let Some(model) = program.model_or(case.external.as_slice(), &case.model) else { continue };
        let Some(rows) = rows::unlabelled(&splits.train, case, model) else { continue };
        let of_number = leaked.entry(rows.len()).or_default();
        if of_number.iter().any(|(other, _)| (other.seed, other.fold) == (case.seed, case.fold)) {
            continue;
        }
        let fold = rows::given(&splits.train, case).fold;
        let test = fold.as_ref().unwrap_or(&splits.test);
        of_number.push((case, repeated_inputs(&rows, &test.inputs)));
    }
    for (rows, found) in leaked {
        let leaked = range(found.iter().map(|(_, leaked)| *leaked));
        let test_rows = match found.first().and_then(|(case, _)| case.fold) {
            Some(_) => "the rows of a fold".to_owned(),
            None => format!("{} test rows", splits.test.len()),
        };
        writeln!(out, "  leakage: {leaked} of {test_rows} also occur in the {rows} unlabelled rows")?;
    }
    Ok(())
}

/// `3`, or `3 to 5` if the numbers differ.
fn range(numbers: impl Iterator<Item = usize> + Clone) -> String {
    let (least, most) = (numbers.clone().min().unwrap_or(0), numbers.max().unwrap_or(0));
    if least == most { least.to_string() } else { format!("{least} to {most}") }
}

/// The same case with few rows and little to learn. Its scores mean nothing.
fn tiny(case: &Case) -> Case {
    let mut tiny = case.clone();
    // Every fold has a row or two.
    let folds = tiny.fold.map_or(0, |fold| fold.folds);
    tiny.train_size = tiny.train_size.min(TRAIN_ROWS.max(2 * folds));
    tiny.test_rows = Some(TEST_ROWS);
    tiny.latency_examples = 1;
    tiny.latency = LatencyConfig::default();
    tiny.predict_hidden = false;
    tiny.keep_model = false;
    // With a budget, `epochs` and `trees` would say nothing.
    tiny.budget = None;
    for (name, most) in SHORT {
        tiny.params.limit(name, most);
    }
    tiny
}
