//! How many rows a task's cases learn from.

use super::PlanError;
use crate::suite::{Source, TaskEntry};
use crate::tasks::Task;

/// The smallest training size. A tenth of it is set aside for validation, which is two rows.
const MIN_TRAIN_SIZE: usize = 20;

/// The training size of a task. The command line goes before the suite; without either, it is all rows.
pub(super) fn check(
    source: &Source,
    task: &dyn Task,
    entry: &TaskEntry,
    from_command_line: Option<usize>,
) -> Result<usize, PlanError> {
    let rows = task.rows();
    if rows < MIN_TRAIN_SIZE {
        let message = format!("task '{}' has {rows} training rows; at least {MIN_TRAIN_SIZE} are needed", task.name());
        return Err(source.fault(&entry.name, message).into());
    }
    let Some(size) = &entry.train_size else { return Ok(rows) };
    if (MIN_TRAIN_SIZE..=rows).contains(size.as_ref()) {
        return Ok(*size.as_ref());
    }
    let message = format!("train_size {size} is out of range for task '{}': {MIN_TRAIN_SIZE} to {rows}", task.name());
    Err(match from_command_line {
        Some(_) => PlanError::Filter(format!("--train-size: {message}")),
        None => source.fault(size, message).into(),
    })
}
