//! The one scorer. It scores every model's predictions by scikit-learn's definitions.

mod checked;
mod floor;

pub use floor::{floor, metrics_that_rank};

use bakeoff_datasets::Targets;
use bakeoff_models::Predictions;
use bakeoff_reports::{METRICS, Metric, Score, metric};

use checked::Checked;

/// Why predictions cannot be scored. Examples are counted from 0, as in `predictions/<case>.csv`.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ScoreError {
    /// There is no example to score.
    #[error("there is no example to score; give the task at least one")]
    Empty,
    /// The model predicted classes where the task has values, or the reverse.
    #[error(
        "the model predicted {found} where the task has {expected}; its predict must return predictions of the task's kind"
    )]
    WrongKind {
        /// What the task has: classes or values.
        expected: &'static str,
        /// What the model predicted: values or classes.
        found: &'static str,
    },
    /// The number of predictions is not the number of examples.
    #[error("the model gave {found} {what} for {expected} examples; predict must return one prediction per example")]
    WrongCount {
        /// What was counted: labels, values or rows of probabilities.
        what: &'static str,
        /// The number of examples.
        expected: usize,
        /// The number of predictions.
        found: usize,
    },
    /// A predicted label is not a class of the task.
    #[error("example {example}: the model predicted class {label}, but the task has classes 0..={}", .classes - 1)]
    NoSuchClass {
        /// Index in the split.
        example: usize,
        /// The predicted label.
        label: u16,
        /// How many classes there are.
        classes: usize,
    },
    /// The number of columns of a probability matrix is not the number of classes.
    #[error("the model gave {found} probabilities per example for {expected} classes")]
    WrongColumns {
        /// The number of classes.
        expected: usize,
        /// The number of columns.
        found: usize,
    },
    /// A probability is outside 0..=1, or a row of probabilities does not sum to one.
    #[error("example {example}: {found:?} are not probabilities: each must be in 0..=1 and their sum 1")]
    NotProbabilities {
        /// Index in the split.
        example: usize,
        /// The row of probabilities.
        found: Vec<f32>,
    },
    /// A prediction is not a finite number: the model diverged.
    #[error("example {example}: a {what} is {found}, which is not a finite number; try a smaller learning rate")]
    NotFinite {
        /// Index in the split.
        example: usize,
        /// What is not finite: a prediction or a probability.
        what: &'static str,
        /// The value that is not finite.
        found: f32,
    },
}

/// Scores `predictions` against `targets` and returns the metrics by name, in the order of [`METRICS`]. A metric is
/// left out if it is not for targets of this kind, or if it is undefined for these predictions. The metric's entry says
/// which targets it is for and how it is computed.
///
/// # Errors
/// If there is not exactly one valid, finite prediction of the right kind for each example.
pub fn score(targets: &Targets, predictions: &Predictions) -> Result<Vec<(&'static str, f64)>, ScoreError> {
    let checked = Checked::new(targets, predictions)?;
    let scores =
        applicable(targets).filter_map(|(metric, _)| Some((metric.name, metric.score_of(checked.answered())?)));
    Ok(scores.collect())
}

/// The metrics that are for targets of this kind but missing from `scores`, because they are undefined for these
/// predictions. Each has the reason.
pub fn undefined(targets: &Targets, scores: &[(&'static str, f64)]) -> Vec<(&'static str, &'static str)> {
    applicable(targets)
        .filter(|(metric, rules)| !rules.undefined.is_empty() && scores.iter().all(|(name, _)| *name != metric.name))
        .map(|(metric, rules)| (metric.name, rules.undefined))
        .collect()
}

/// The metrics for targets of this kind, with their rules.
fn applicable(targets: &Targets) -> impl Iterator<Item = (&'static Metric, Score)> {
    let classes = classes(targets);
    let rules = METRICS.iter().filter_map(|metric| Some((metric, metric.score?)));
    rules.filter(move |(_, rules)| rules.targets.applies(classes))
}

/// The number of the task's classes; 0 if its targets are numbers.
fn classes(targets: &Targets) -> usize {
    match targets {
        Targets::Classes { names, .. } => names.len(),
        Targets::Values(_) => 0,
    }
}

/// A score as the program shows it during a run.
pub fn shown(name: &str, score: f64) -> String {
    if metric(name).is_some_and(|metric| metric.needs_power(score)) {
        format!("{score:.3e}")
    } else {
        format!("{score:.4}")
    }
}
