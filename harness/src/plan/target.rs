//! The target of a task: a score on validation rows, the time to which is measured.

use bakeoff_reports::{Better, Floor, metric};

use crate::suite::{Source, SuiteError, TaskEntry};
use crate::tasks::Task;

/// The target of a task, if it has one.
///
/// # Errors
/// If no model could reach it, or if every constant answer does.
pub(super) fn check(source: &Source, task: &dyn Task, entry: &TaskEntry) -> Result<Option<f64>, SuiteError> {
    let Some(written) = &entry.target else { return Ok(None) };
    let target = *written.as_ref();
    let primary = metric(task.primary());
    let Some((primary, score)) = primary.and_then(|metric| Some((metric, metric.score?))) else {
        return Ok(Some(target));
    };
    let (low, high) = score.range;
    let (worst, best) = match primary.better {
        Better::Higher => (if score.floor == Floor::Zero { 0.0 } else { low }, high),
        Better::Lower => (high, low),
    };
    let is_possible = target.is_finite() && (low..=high).contains(&target);
    if is_possible && primary.better.prefers(target, worst) {
        return Ok(Some(target));
    }
    let [worse, better] = match primary.better {
        Better::Higher => ["above", "of at most"],
        Better::Lower => ["below", "of at least"],
    };
    let limits: Vec<String> = [(worse, worst), (better, best)]
        .into_iter()
        .filter(|(_, limit)| limit.is_finite())
        .map(|(word, limit)| format!("{word} {limit}"))
        .collect();
    let name = task.name();
    Err(source.fault(
        written,
        format!(
            "target is {target}, expected a number {}: the primary metric of task '{name}' is {}, {}",
            limits.join(" and "),
            primary.name,
            primary.better.name()
        ),
    ))
}
