//! Checks the names in a suite: those of tasks and models, and labels.

use bakeoff_models::unknown_name;
use toml::Spanned;

use super::settings::repeated;
use super::{external, own};
use crate::program::Program;
use crate::suite::{ModelEntryWire, Source, Suite, SuiteError, TaskEntry};

/// The longest label: it is part of a file's name.
pub(super) const MAX_LABEL: usize = 120;

/// The name that a model entry has in case ids.
pub(super) fn label(entry: &ModelEntryWire) -> &str {
    entry.label.as_ref().unwrap_or(&entry.name).as_ref()
}

/// Whether a word that a user chose can be part of a file's name on every system.
pub(super) fn is_plain(word: &str) -> bool {
    (1..=40).contains(&word.len()) && has_plain_characters(word)
}

/// Whether a word can be part of a file name, however long.
fn has_plain_characters(word: &str) -> bool {
    word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_')
}

/// Checks that every name is known, including those of tasks and models that a filter leaves out.
pub(super) fn check(program: &Program, source: &Source, suite: &Suite) -> Result<(), SuiteError> {
    if !is_plain(suite.name.as_ref()) {
        let message = "the suite's name is part of a directory's name: use 1 to 40 of a-z, 0-9, '-' and '_'";
        return Err(source.fault(&suite.name, message));
    }
    let built_in: Vec<_> = program.tasks.iter().map(|task| task.name()).collect();
    let models: Vec<_> = program.models.iter().map(|model| model.name()).collect();
    let mut tasks = built_in.clone();
    for entry in &suite.tasks {
        if entry.data.is_some() {
            own::check_name(source, &entry.name, &tasks, &built_in)?;
            tasks.push(entry.name.as_ref());
        } else {
            own::refuse_settings(source, entry)?;
            known(source, "task", &entry.name, &built_in)?;
        }
    }
    for entry in &suite.models {
        if entry.command.is_some() {
            external::check_name(program, source, entry)?;
        } else {
            external::refuse_settings(source, entry)?;
            known(source, "model", &entry.name, &models)?;
        }
        check_label(program, source, entry)?;
        for task in entry.on.keys() {
            known(source, "task", task, &tasks)?;
        }
    }
    check_restrictions(source, suite)
}

/// Checks which tasks each model is restricted to. A task that no model runs on is a slip.
fn check_restrictions(source: &Source, suite: &Suite) -> Result<(), SuiteError> {
    let in_suite: Vec<&str> = suite.tasks.iter().map(|entry| entry.name.as_ref().as_str()).collect();
    for tasks in suite.models.iter().filter_map(|entry| entry.tasks.as_ref()) {
        if tasks.as_ref().is_empty() {
            let message =
                "tasks is an empty list: give at least one task of this suite, or leave tasks out to run on all";
            return Err(source.fault(tasks, message));
        }
        for task in tasks.as_ref() {
            known(source, "task", task, &in_suite)?;
        }
        if let Some(task) = repeated(tasks.as_ref()) {
            return Err(source.fault(task, format!("task '{}' is given twice", task.as_ref())));
        }
    }
    let has_no_model = |entry: &&TaskEntry| !suite.models.iter().any(|model| model.runs_on(entry.name.as_ref()));
    match suite.tasks.iter().find(has_no_model) {
        Some(entry) if !suite.models.is_empty() => {
            let message = format!(
                "no model runs on task '{0}': add \"{0}\" to the tasks of a [[model]], or leave this [[task]] out",
                entry.name.as_ref()
            );
            Err(source.fault(&entry.name, message))
        }
        _ => Ok(()),
    }
}

fn known(source: &Source, kind: &str, name: &Spanned<String>, known: &[&str]) -> Result<(), SuiteError> {
    if known.contains(&name.as_ref().as_str()) {
        return Ok(());
    }
    Err(source.fault(name, unknown_name(kind, name.as_ref(), known)))
}

fn check_label(program: &Program, source: &Source, entry: &ModelEntryWire) -> Result<(), SuiteError> {
    let Some(label) = &entry.label else { return Ok(()) };
    if !(1..=MAX_LABEL).contains(&label.as_ref().len()) || !has_plain_characters(label.as_ref()) {
        let message = format!("a label is part of a file's name: use 1 to {MAX_LABEL} of a-z, 0-9, '-' and '_'");
        return Err(source.fault(label, message));
    }
    if label != &entry.name && program.model(label.as_ref()).is_some() {
        return Err(source.fault(label, format!("label '{label}' is the name of another model")));
    }
    Ok(())
}
