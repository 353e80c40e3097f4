//! `check`: plan a suite, tell what a user's own data holds, and make one tiny pass of every case, so that an overnight run does not fail at its end.

use std::io::{Write, stdout};
use std::path::PathBuf;

use bakeoff_models::InputShape;

use super::run::say_memory;
use super::{Exit, Selection};
use crate::case::Case;
use crate::interrupt;
use crate::program::Program;
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
    let executor = session.executor();
    let mut out = stdout();
    for task in &plan.own {
        writeln!(out, "task {}: {}", task.name(), task.about())?;
        for line in threads::at_most(plan.threads(), || task.survey()).map_err(usage)?.to_string().lines() {
            writeln!(out, "  {line}")?;
        }
    }
    let mut failures = 0;
    for task in plan.own.iter().filter(|task| matches!(task.input(), InputShape::Texts { .. })) {
        let splits = task.load(&worker::store(samples)).map_err(usage)?;
        let cases = plan.cases.iter().filter(|case| case.task == task.name());
        for line in wordless::lines(cases.map(|case| (case.label.as_str(), &case.params)), &splits) {
            writeln!(out, "task {}: {line}", task.name())?;
        }
    }
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

/// The same case with few rows and little to learn. What it scores means nothing.
fn tiny(case: &Case) -> Case {
    let mut tiny = case.clone();
    tiny.train_size = tiny.train_size.min(TRAIN_ROWS);
    tiny.test_rows = Some(TEST_ROWS);
    tiny.latency_examples = 1;
    tiny.predict_hidden = false;
    for (name, value) in SHORT {
        if tiny.params.has(name) {
            tiny.params.set_int(name, value);
        }
    }
    tiny
}
