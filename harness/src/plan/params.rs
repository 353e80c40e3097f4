//! Checks the parameters of a suite's models. Each fault names the place where the parameter is written.

use bakeoff_models::{ModelEntry, ParamError, Resolved, TaskShape};

use crate::program::Program;
use crate::suite::{ModelEntryWire, Params, Source, Suite, SuiteError};
use crate::tasks::{self, OwnTask, Task};

/// Checks that the model has every parameter that is set for a task, even if that task does not run.
pub(super) fn check(program: &Program, own: &[OwnTask], source: &Source, suite: &Suite) -> Result<(), SuiteError> {
    for entry in &suite.models {
        // A program of the user's takes any parameter.
        let Some(model) = program.model(entry.name.as_ref()) else { continue };
        for (task, params) in &entry.on {
            // The data of a task that a filter leaves out is not read, so the shape of its inputs is unknown.
            if let Some(task) = program.task_or(own, task.as_ref()) {
                check_each(source, model, &tasks::shape(task, task.rows()), params)?;
            }
        }
    }
    Ok(())
}

/// The defaults, replaced by the model's parameters, and these replaced by those for this task.
pub(super) fn resolve(
    source: &Source,
    model: &dyn ModelEntry,
    entry: &ModelEntryWire,
    task: &dyn Task,
    shape: &TaskShape,
) -> Result<Resolved, SuiteError> {
    let on_task = entry.on.iter().find(|(name, _)| name.as_ref() == task.name()).map(|(_, params)| params);
    let layers: Vec<&Params> = std::iter::once(&entry.params).chain(on_task).collect();
    let mut overrides = toml::Table::new();
    for params in &layers {
        check_each(source, model, shape, params)?;
        for (name, value) in *params {
            overrides.insert(name.as_ref().clone(), value.as_ref().clone());
        }
    }
    model
        .resolve(shape, &overrides)
        .and_then(|resolved| model.check(&resolved).and_then(|()| model.check_files(&resolved)).map(|()| resolved))
        .map_err(|error| {
            let name = name_in(&error);
            let written = layers.iter().rev().flat_map(|params| params.iter()).find(|(key, _)| key.as_ref() == name);
            let start = written.map_or(entry.name.span().start, |(_, value)| value.span().start);
            source.fault_at(start, format!("model '{}': {error}", model.name()))
        })
}

/// Checks parameters one by one, so that a fault is reported where it is.
fn check_each(source: &Source, model: &dyn ModelEntry, shape: &TaskShape, params: &Params) -> Result<(), SuiteError> {
    for (name, value) in params {
        let one = toml::Table::from_iter([(name.as_ref().clone(), value.as_ref().clone())]);
        model.resolve(shape, &one).map_err(|error| {
            let at = if matches!(error, ParamError::Unknown { .. }) { name.span() } else { value.span() };
            source.fault_at(at.start, format!("model '{}': {error}", model.name()))
        })?;
    }
    Ok(())
}

fn name_in(error: &ParamError) -> &str {
    match error {
        ParamError::Unknown { name, .. }
        | ParamError::Domain { name, .. }
        | ParamError::File { name, .. }
        | ParamError::Model { name, .. } => name,
    }
}
