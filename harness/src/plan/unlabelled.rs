//! The rows without labels that a model asks for must be among those that the size of its cases leaves out.

use bakeoff_models::{Device, ModelEntry, ParamValue, Resolved, Support, TaskShape, UNLABELLED};

use super::Space;
use crate::suite::{ModelEntryWire, Source, SuiteError};
use crate::tasks::Task;

/// Checks that `task` has as many rows beside those of `shape` as the model asks for, with its parameters and with any that a search
/// may choose from `space`. A model that cannot do the task even without such rows asks for none.
///
/// # Errors
/// If there are fewer, at the place where their number is written.
pub(super) fn check(
    source: &Source,
    (model, entry): (&dyn ModelEntry, &ModelEntryWire),
    (task, shape, device): (&dyn Task, &TaskShape, Device),
    params: &Resolved,
    space: &Space,
) -> Result<(), SuiteError> {
    let mut largest = params.clone();
    space.iter().for_each(|(name, range)| largest.set(name, range.at(1.0)));
    let asked = model.unlabelled(&largest);
    let (rows, name, train_size) = (task.rows(), task.name(), shape.train_rows);
    let left = rows - train_size;
    if asked <= left {
        return Ok(());
    }
    let mut without = params.clone();
    without.set(UNLABELLED, ParamValue::Int(0));
    if model.supports(shape, &without, device) != Support::Yes {
        return Ok(());
    }
    let message = match left {
        0 => format!(
            "{UNLABELLED} is {asked}, and the cases of task '{name}' are given all of its {rows} training rows with their labels: \
             set a smaller train_size for the task, or leave {UNLABELLED} out"
        ),
        left => format!(
            "{UNLABELLED} is {asked}, and train_size = {train_size} leaves {left} of the {rows} training rows of task '{name}': \
             set {UNLABELLED} = {left} or less, or a smaller train_size for the task"
        ),
    };
    let on_task = entry.on.iter().find(|(other, _)| other.as_ref() == name).map(|(_, params)| params);
    let fixed = on_task.into_iter().chain([&entry.params]).flatten().map(|(name, value)| (name, value.span()));
    let searched = entry.search.iter().map(|(name, values)| (name, values.span()));
    let written = fixed.chain(searched).find(|(name, _)| name.as_ref() == UNLABELLED).map(|(_, span)| span);
    let start = written.unwrap_or_else(|| entry.name.span()).start;
    Err(source.fault_at(start, format!("model '{}': {message}", model.name())))
}
