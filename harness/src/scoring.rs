//! The one scorer: every model's answers are judged here, by scikit-learn's definitions.

mod checked;
mod floor;

pub use floor::{floor, rankers};

use bakeoff_datasets::Targets;
use bakeoff_models::Predictions;
use bakeoff_reports::{METRICS, Metric, Score, metric};

use checked::Checked;

/// Why predictions cannot be scored. Examples are counted from 0, as in `predictions/<case>.csv`.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ScoreError {
    /// Nothing to score.
    #[error("there is no example to score; give the task at least one")]
    Empty,
    /// Classes where values were due, or the reverse.
    #[error("the model predicted {found} where the task has {expected}; its predict must answer in the task's kind")]
    WrongKind {
        /// What the task has.
        expected: &'static str,
        /// What the model gave.
        found: &'static str,
    },
    /// Not one prediction per example.
    #[error("the model gave {found} {what} for {expected} examples; predict must answer each example once")]
    WrongCount {
        /// Labels, values or rows of probabilities.
        what: &'static str,
        /// The number of examples.
        expected: usize,
        /// The number of predictions.
        found: usize,
    },
    /// A label that is no class of the task.
    #[error("example {example}: the model predicted class {label}, but the task has classes 0..={}", .classes - 1)]
    NoSuchClass {
        /// Index in the split.
        example: usize,
        /// What was predicted.
        label: u16,
        /// How many classes there are.
        classes: usize,
    },
    /// A matrix with another number of columns than the task has classes.
    #[error("the model gave {found} probabilities per example for {expected} classes")]
    WrongColumns {
        /// The number of classes.
        expected: usize,
        /// The number of columns.
        found: usize,
    },
    /// A probability outside 0..=1, or a row of them that does not sum to one.
    #[error("example {example}: {found:?} are not probabilities: each must be in 0..=1 and their sum 1")]
    NotProbabilities {
        /// Index in the split.
        example: usize,
        /// The row.
        found: Vec<f32>,
    },
    /// A prediction that is not a finite number: the model diverged.
    #[error("example {example}: a {what} is {found}, which is not a finite number; try a smaller learning rate")]
    NotFinite {
        /// Index in the split.
        example: usize,
        /// A prediction or a probability.
        what: &'static str,
        /// What was predicted.
        found: f32,
    },
}

/// The metrics of `predictions` against `targets`, by their names in [`METRICS`] and in its order: those that are for such
/// targets and defined for these answers. What a metric is for and how it is computed is in its entry.
///
/// # Errors
/// If there is not exactly one valid, finite prediction of the right kind for each example.
pub fn score(targets: &Targets, predictions: &Predictions) -> Result<Vec<(&'static str, f64)>, ScoreError> {
    let checked = Checked::new(targets, predictions)?;
    let scores =
        applicable(targets).filter_map(|(metric, _)| Some((metric.name, metric.score_of(checked.answered())?)));
    Ok(scores.collect())
}

/// The metrics for such targets that are missing from `scores` because they are undefined for those answers, each with the
/// reason.
pub fn undefined(targets: &Targets, scores: &[(&'static str, f64)]) -> Vec<(&'static str, &'static str)> {
    applicable(targets)
        .filter(|(metric, rules)| !rules.undefined.is_empty() && scores.iter().all(|(name, _)| *name != metric.name))
        .map(|(metric, rules)| (metric.name, rules.undefined))
        .collect()
}

/// The metrics for such targets, with their rules.
fn applicable(targets: &Targets) -> impl Iterator<Item = (&'static Metric, Score)> {
    let classes = classes(targets);
    let rules = METRICS.iter().filter_map(|metric| Some((metric, metric.score?)));
    rules.filter(move |(_, rules)| rules.targets.applies(classes))
}

/// How many classes the task has; 0 if its targets are numbers.
fn classes(targets: &Targets) -> usize {
    match targets {
        Targets::Classes { names, .. } => names.len(),
        Targets::Values(_) => 0,
    }
}

/// A score as shown while a run goes on.
pub fn shown(name: &str, score: f64) -> String {
    if metric(name).is_some_and(|metric| metric.needs_power(score)) {
        format!("{score:.3e}")
    } else {
        format!("{score:.4}")
    }
}
