//! The score of a constant answer, which a model has to beat.

use bakeoff_datasets::Targets;
use bakeoff_models::Predictions;
use bakeoff_reports::{Floor, METRICS, Metric, metric};

use super::Checked;

/// The floor: the metric `primary` of a constant answer on `test`. A model that is no better has learned nothing.
///
/// The metric's [`Floor`] and `given` determine the constant. `given` holds the targets of all training rows of the
/// case, validation rows included. The floor does not depend on their order, so all seeds that draw the same rows have
/// the same floor.
///
/// # Panics
/// If a split is empty, if the two differ in kind, or if `primary` has no floor on such targets. Each is a fault of the
/// task.
pub fn floor(given: &Targets, test: &Targets, primary: &str) -> f64 {
    let floor = metric(primary).and_then(|metric| constant_score(metric, given, test));
    floor.expect("a task's primary metric has a floor on its targets")
}

/// The metrics by which models can be ranked on targets of this kind: those that have a floor.
///
/// # Panics
/// If a split is empty or the two differ in kind.
pub fn metrics_that_rank(given: &Targets, test: &Targets) -> Vec<&'static str> {
    METRICS.iter().filter(|metric| constant_score(metric, given, test).is_some()).map(|metric| metric.name).collect()
}

/// The score of the constant answer. `None` if the metric has no floor on targets of this kind.
fn constant_score(metric: &Metric, given: &Targets, test: &Targets) -> Option<f64> {
    let rules = metric.score.filter(|rules| rules.targets.applies(super::classes(given)))?;
    let constant = match (rules.floor, given) {
        (Floor::Zero, _) => return Some(0.0),
        (Floor::MajorityClass, Targets::Classes { labels, names }) => {
            constant_class(most_frequent(labels, names.len()), test.len())
        }
        (Floor::PositiveClass, Targets::Classes { .. }) => constant_class(1, test.len()),
        (Floor::Mean, Targets::Values(values)) => Predictions::Values(vec![mean(values); test.len()]),
        _ => return None,
    };
    let checked = Checked::new(test, &constant).expect("a constant of the task's kind can be scored");
    metric.score_of(checked.answered())
}

fn constant_class(label: u16, count: usize) -> Predictions {
    Predictions::Classes { labels: vec![label; count], probabilities: None }
}

/// The class that occurs most often among `labels`. If several are equally frequent, the first of them.
fn most_frequent(labels: &[u16], classes: usize) -> u16 {
    let mut counts = vec![0_usize; classes];
    for &label in labels {
        counts[usize::from(label)] += 1;
    }
    // `max_by_key` would give the last of several equal classes.
    (0..classes as u16).min_by_key(|&class| std::cmp::Reverse(counts[usize::from(class)])).unwrap_or(0)
}

/// The mean of `values`, the same bits for any order. A floating-point sum depends on the order of its terms, so they
/// are sorted first.
fn mean(values: &[f32]) -> f32 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f32::total_cmp);
    (sorted.iter().map(|&value| f64::from(value)).sum::<f64>() / sorted.len() as f64) as f32
}
