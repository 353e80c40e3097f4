//! Tasks on a user's own data: checks their settings and reads their data.

use bakeoff_datasets::own::{Column, OwnError};
use bakeoff_models::did_you_mean;
use toml::Spanned;

use super::Overrides;
use super::names::is_plain;
use crate::machine::available_cpus;
use crate::suite::{Source, Suite, SuiteError, TaskEntry};
use crate::tasks::{OwnTask, OwnTaskError, TaskSettings};
use crate::threads;

/// Checks the name of a task on a user's own data. It becomes part of file names, and no other task may have it.
pub(super) fn check_name(
    source: &Source,
    name: &Spanned<String>,
    taken: &[&str],
    built_in: &[&str],
) -> Result<(), SuiteError> {
    let word = name.as_ref().as_str();
    if !is_plain(word) {
        return Err(source.fault(name, "a task's name is part of a file's name: use 1 to 40 of a-z, 0-9, '-' and '_'"));
    }
    if built_in.contains(&word) {
        let message = format!("task '{word}' is built in: give the task on your own data another name");
        return Err(source.fault(name, message));
    }
    if taken.contains(&word) {
        return Err(source.fault(name, format!("two tasks are named '{word}': give each its own name")));
    }
    Ok(())
}

/// Refuses settings that a built-in task has itself: description, metric and unit.
pub(super) fn refuse_settings(source: &Source, entry: &TaskEntry) -> Result<(), SuiteError> {
    for (key, value) in [("about", &entry.about), ("metric", &entry.metric), ("unit", &entry.unit)] {
        if let Some(value) = value {
            let message = format!("{key} is only for a task on your own data, and this one has no [task.data]");
            return Err(source.fault(value, message));
        }
    }
    Ok(())
}

/// Reads the data of every task on a user's own data that the filters keep. Paths become absolute, for `run.json`.
pub(super) fn open(source: &Source, suite: &mut Suite, overrides: &Overrides) -> Result<Vec<OwnTask>, SuiteError> {
    let mut own = Vec::new();
    for entry in &mut suite.tasks {
        let Some(data) = &mut entry.data else { continue };
        data.resolve(&source.folder);
        let checked = data.check(source)?;
        if !overrides.keeps_task(entry.name.as_ref()) {
            continue;
        }
        let word = |written: &Option<Spanned<String>>| written.as_ref().map(|word| one_line(word.as_ref()));
        let settings = TaskSettings { about: word(&entry.about), metric: word(&entry.metric), unit: word(&entry.unit) };
        let threads = overrides
            .threads
            .or(suite.threads.as_ref().map(|threads| *threads.as_ref()))
            .unwrap_or_else(available_cpus);
        let task = threads::at_most(threads, || OwnTask::open(entry.name.as_ref(), checked, settings));
        own.push(task.map_err(|error| fault(source, entry, &error))?);
    }
    Ok(own)
}

/// The text on one line and without control characters. Terminals, tables and figures need that.
fn one_line(text: &str) -> String {
    text.split(|c: char| c.is_control() || c.is_whitespace())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// A fault in a user's own data, at the closest setting of the suite.
fn fault(source: &Source, entry: &TaskEntry, error: &OwnTaskError) -> SuiteError {
    let data = entry.data.as_ref().expect("only a task with data of its own has such a fault");
    let span_of = |setting: &Option<Spanned<String>>| setting.as_ref().map_or(0..0, Spanned::span);
    let (at, near) = match error {
        OwnTaskError::Data(OwnError::Column { column, known, look_alike: None, .. }) => {
            (data.span_of_column(column), near_column(column, known))
        }
        OwnTaskError::Data(OwnError::Column { column, .. }) => (data.span_of_column(column), String::new()),
        OwnTaskError::Data(error) => (data.span_of_file(error), String::new()),
        OwnTaskError::Metric(_) => (span_of(&entry.metric), String::new()),
        OwnTaskError::Unit => (span_of(&entry.unit), String::new()),
    };
    source.fault_at(at.start, format!("task '{}': {error}{near}", entry.name.as_ref()))
}

fn near_column(column: &Column, known: &[String]) -> String {
    let Column::Name(name) = column else { return String::new() };
    // If there is only one column, the delimiter is wrong, and no name can be close to it.
    if known.len() < 2 {
        return String::new();
    }
    did_you_mean(name, known.iter().map(String::as_str))
}
