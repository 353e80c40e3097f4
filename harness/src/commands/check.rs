//! `check`: plan a suite, show what its data holds, and make one tiny pass of every case, so that an overnight run does
//! not fail at its end.

use std::io::{self, Write, stdout};
use std::path::PathBuf;

use bakeoff_datasets::{Leakage, Split, Splits, leakage};

use super::run::say_memory;
use super::{Exit, Selection};
use crate::case::Case;
use crate::interrupt;
use crate::plan::Plan;
use crate::program::Program;
use crate::rows::{self, LearnedRows, listed};
use crate::session::Session;
use crate::tasks::Task;
use crate::threads;
use crate::usage::usage;
use crate::wordless;
use crate::worker;

/// Training rows and test rows of a tiny pass.
const TRAIN_ROWS: usize = 100;
const TEST_ROWS: usize = 20;
/// Parameters that say how long a model learns, and the most of each in a tiny pass.
const SHORT: [(&str, usize); 3] = [("epochs", 1), ("trees", 2), ("ensemble", 2)];

pub(super) fn run(program: &Program, selection: &Selection, samples: Option<&PathBuf>) -> anyhow::Result<Exit> {
    let plan = selection.plan(program)?;
    let session = Session { program, samples, inline: false };
    session.verify_data(&plan)?;
    say_memory(program, &plan);
    interrupt::listen()?;
    let mut out = stdout();
    for entry in &plan.suite.tasks {
        let Some(task) = program.task_or(&plan.own, entry.name.as_ref()) else { continue };
        describe(&mut out, program, &plan, task, samples)?;
    }
    let executor = session.executor(None);
    let (mut failures, mut unsupported) = (0, 0);
    for case in &plan.cases {
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
                    "can run".to_owned()
                }
            }
        };
        writeln!(out, "{}: {verdict}", case.id)?;
    }
    let cases = plan.cases.len();
    writeln!(out, "{} of {cases} cases are ready ({unsupported} unsupported)", cases - failures)?;
    Ok(if failures > 0 { Exit::SomeCasesFailed } else { Exit::Ok })
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
    let cases: Vec<&Case> = plan.cases.iter().filter(|case| case.task == task.name()).collect();
    for line in wordless::lines(cases.iter().map(|case| (case.label.as_str(), &case.params)), &splits) {
        writeln!(out, "  {line}")?;
    }
    let mut sizes: Vec<usize> = cases.iter().map(|case| case.train_size).collect();
    sizes.sort_unstable();
    sizes.dedup();
    for size in sizes {
        let cases: Vec<&Case> = cases.iter().copied().filter(|case| case.train_size == size).collect();
        write_learned(out, program, &cases, &splits.train)?;
        // The survey of a user's own data has told the leakage of all rows.
        if own.is_none() || size < splits.train.len() {
            write_leakage(out, &cases, &splits)?;
        }
    }
    Ok(())
}

/// How many rows the models learn from in these cases of one task and size, and which classes have too few.
fn write_learned(out: &mut impl Write, program: &Program, cases: &[&Case], train: &Split) -> io::Result<()> {
    let mut groups: Vec<(LearnedRows, Vec<&str>)> = Vec::new();
    for case in cases {
        let Some(model) = program.model(&case.model) else { continue };
        if groups.iter().any(|(_, labels)| labels.contains(&case.label.as_str())) {
            continue;
        }
        let learned = LearnedRows::by(model, &rows::given(train, case), case);
        match groups.iter_mut().find(|(other, _)| *other == learned) {
            Some((_, labels)) => labels.push(&case.label),
            None => groups.push((learned, vec![&case.label])),
        }
    }
    let size = cases.first().map_or(0, |case| case.train_size);
    for (learned, labels) in groups {
        let learn = if labels.len() == 1 { "learns" } else { "learn" };
        let aside = match size - learned.examples {
            0 => String::new(),
            rows => format!("; {rows} are for validation"),
        };
        writeln!(out, "  {} {learn} from {} of {} rows{aside}", labels.join(", "), learned.examples, train.len())?;
        let Some(classes) = &learned.classes else { continue };
        for (what, names) in [("no row", &classes.without_rows), ("one row", &classes.with_one_row)] {
            if !names.is_empty() {
                writeln!(out, "    classes with {what} among them ({}): {}", names.len(), listed(names))?;
            }
        }
    }
    Ok(())
}

/// The test rows that are among the rows given to these cases of one task and size: from the fewest to the most of a seed.
fn write_leakage(out: &mut impl Write, cases: &[&Case], splits: &Splits) -> io::Result<()> {
    // Which rows a case gets follows from task, size and seed: the models share them.
    let mut seeds: Vec<&Case> = Vec::new();
    for case in cases {
        // All rows are the same rows for every seed.
        let seen = seeds.iter().any(|other| other.seed == case.seed || case.train_size == splits.train.len());
        if !seen {
            seeds.push(case);
        }
    }
    let found: Vec<Leakage> =
        seeds.iter().map(|case| leakage(&rows::given(&splits.train, case), &splits.test)).collect();
    let leaked = range(found.iter().map(|found| found.examples));
    let other = range(found.iter().map(|found| found.other_target));
    let (size, test_rows) = (cases.first().map_or(0, |case| case.train_size), splits.test.len());
    writeln!(
        out,
        "  leakage: {leaked} of {test_rows} test rows also occur in the {size} training rows ({other} of them with a \
         different target)"
    )
}

/// `3`, or `3 to 5` where the numbers differ.
fn range(numbers: impl Iterator<Item = usize> + Clone) -> String {
    let (least, most) = (numbers.clone().min().unwrap_or(0), numbers.max().unwrap_or(0));
    if least == most { least.to_string() } else { format!("{least} to {most}") }
}

/// The same case with few rows and little to learn. What it scores means nothing.
fn tiny(case: &Case) -> Case {
    let mut tiny = case.clone();
    tiny.train_size = tiny.train_size.min(TRAIN_ROWS);
    tiny.test_rows = Some(TEST_ROWS);
    tiny.latency_examples = 1;
    tiny.predict_hidden = false;
    tiny.keep_model = false;
    for (name, most) in SHORT {
        if tiny.params.has(name) {
            let value = tiny.params.int(name).min(most);
            tiny.params.set_int(name, value as i64);
        }
    }
    tiny
}
