//! `check`: plan a suite, show what its data holds, and make one tiny pass of every case, so that an overnight run does
//! not fail at its end.

use std::io::{self, Write, stdout};
use std::path::PathBuf;

use super::run::say_memory;
use super::{Exit, Selection};
use crate::case::Case;
use crate::interrupt;
use crate::plan::Plan;
use crate::program::Program;
use crate::rows::{self, Facts, listed};
use crate::session::Session;
use crate::tasks::Task;
use crate::threads;
use crate::usage::usage;
use crate::wordless;
use crate::worker;

/// Rows to learn from and to be scored on in a tiny pass.
const TRAIN_ROWS: usize = 100;
const TEST_ROWS: usize = 20;
/// Parameters that say how long a model learns, and their values in a tiny pass.
const SHORT: [(&str, i64); 2] = [("epochs", 1), ("trees", 2)];

pub(super) fn run(program: &Program, selection: &Selection, samples: Option<&PathBuf>) -> anyhow::Result<Exit> {
    let plan = selection.plan(program)?;
    let session = Session { program, samples, inline: false };
    session.verify_data(&plan)?;
    say_memory(program, &plan);
    interrupt::listen()?;
    let mut out = stdout();
    for entry in &plan.suite.tasks {
        let Some(task) = program.task_or(&plan.own, entry.name.as_ref()) else { continue };
        describe(&mut out, &plan, task, samples)?;
    }
    let executor = session.executor(None);
    let mut failures = 0;
    for case in &plan.cases {
        let verdict = match &case.unsupported {
            Some(reason) => format!("unsupported: {reason}"),
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
    writeln!(out, "{} of {cases} cases can run or are known to be unsupported", cases - failures)?;
    Ok(if failures > 0 { Exit::SomeCasesFailed } else { Exit::Ok })
}

/// Writes what a task asks, what the user's own data holds, and which rows its cases learn from.
fn describe(out: &mut impl Write, plan: &Plan, task: &dyn Task, samples: Option<&PathBuf>) -> anyhow::Result<()> {
    writeln!(out, "task {}: {}", task.name(), task.about())?;
    if let Some(own) = plan.own.iter().find(|own| own.name() == task.name()) {
        for line in threads::at_most(plan.threads(), || own.survey()).map_err(usage)?.to_string().lines() {
            writeln!(out, "  {line}")?;
        }
    }
    let splits = threads::at_most(plan.threads(), || task.load(&worker::store(samples))).map_err(usage)?;
    let cases = || plan.cases.iter().filter(|case| case.task == task.name());
    for line in wordless::lines(cases().map(|case| (case.label.as_str(), &case.params)), &splits) {
        writeln!(out, "  {line}")?;
    }
    let mut sizes: Vec<usize> = cases().map(|case| case.train_size).collect();
    sizes.sort_unstable();
    sizes.dedup();
    for size in sizes {
        // Which rows a case gets follows from task, size and seed: the models share them.
        let mut seeds: Vec<&Case> = Vec::new();
        for case in cases().filter(|case| case.train_size == size) {
            // All rows are the same rows for every seed.
            let seen = seeds.iter().any(|other| other.seed == case.seed || size == splits.train.len());
            if !seen {
                seeds.push(case);
            }
        }
        let facts: Vec<Facts> =
            seeds.iter().map(|case| Facts::of(&rows::given(&splits.train, case), &splits.test)).collect();
        write_facts(out, &facts, splits.train.len(), splits.test.len())?;
    }
    Ok(())
}

/// The facts of the cases of one task and size, one for each seed.
fn write_facts(out: &mut impl Write, facts: &[Facts], rows: usize, test_rows: usize) -> io::Result<()> {
    let Some(first) = facts.first() else { return Ok(()) };
    writeln!(out, "  each case learns from {} of {rows} rows", first.examples)?;
    // Each class has its share of the rows whatever the seed, so one seed speaks for all.
    if let Some(classes) = &first.classes {
        for (what, names) in [("no row", &classes.without_rows), ("one row", &classes.with_one_row)] {
            if !names.is_empty() {
                writeln!(out, "    classes with {what} among them ({}): {}", names.len(), listed(names))?;
            }
        }
    }
    let leaked = range(facts.iter().map(|facts| facts.leakage.examples));
    let other = range(facts.iter().map(|facts| facts.leakage.other_target));
    writeln!(out, "    test rows that are among them: {leaked} of {test_rows} ({other} with another target)")
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
    for (name, value) in SHORT {
        if tiny.params.has(name) {
            tiny.params.set_int(name, value);
        }
    }
    tiny
}
