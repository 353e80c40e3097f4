//! The one scorer: every model's answers are judged here, by scikit-learn's definitions.

mod classes;
mod values;

use bakeoff_datasets::Targets;
use bakeoff_models::Predictions;
use bakeoff_reports::metric;

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

/// The metrics of `predictions` against `targets`, by their names in [`bakeoff_reports::METRICS`].
///
/// Classes give `accuracy`, `recall_macro`, `precision_macro`, `f1_macro` and `matthews`; with two classes also
/// `recall_positive`, `precision_positive` and `f1_positive`, of class 1; with probabilities also `brier`. Values give
/// `mse` and `mae`; from two examples on also `r2`, which one example does not define; and `pearson` and `spearman`
/// unless all targets or all predictions are the same, see [`UNDEFINED`].
///
/// # Errors
/// If there is not exactly one valid, finite prediction of the right kind for each example.
pub fn score(targets: &Targets, predictions: &Predictions) -> Result<Vec<(&'static str, f64)>, ScoreError> {
    if targets.is_empty() {
        return Err(ScoreError::Empty);
    }
    match (targets, predictions) {
        (Targets::Classes { labels, names }, Predictions::Classes { labels: answers, probabilities }) => {
            classes::score(labels, names.len(), answers, probabilities.as_ref())
        }
        (Targets::Values(targets), Predictions::Values(answers)) => values::score(targets, answers),
        (Targets::Classes { .. }, Predictions::Values(_)) => {
            Err(ScoreError::WrongKind { expected: "classes", found: "values" })
        }
        (Targets::Values(_), Predictions::Classes { .. }) => {
            Err(ScoreError::WrongKind { expected: "values", found: "classes" })
        }
    }
}

/// The correlations, which a constant does not have, and what to say where they are missing.
pub const UNDEFINED: ([&str; 2], &str) = (["pearson", "spearman"], "all predictions or all targets are the same");

/// The metric `primary` of a constant answer on `test`: the most frequent class of `train` (of equals the first), or
/// the mean of its values. Of `f1_positive` the constant is the positive class, which has the larger F1 of the two; a
/// correlation, which a constant does not have, must be above 0. A model that is no better has learned nothing.
///
/// # Panics
/// If a split is empty, the two differ in kind, or `primary` is not a metric of theirs: a task is at fault.
pub fn floor(train: &Targets, test: &Targets, primary: &str) -> f64 {
    if UNDEFINED.0.contains(&primary) {
        return 0.0;
    }
    let label = (primary == "f1_positive").then_some(1);
    let scores = score(test, &constant(train, test.len(), label)).expect("a constant of the task's kind can be scored");
    let found = scores.into_iter().find(|(name, _)| *name == primary);
    found.expect("a task's primary metric is one that its kind of target gives").1
}

/// The metrics that can rank on such targets: those that have a floor.
///
/// # Panics
/// If a split is empty or the two differ in kind.
pub fn rankers(train: &Targets, test: &Targets) -> Vec<&'static str> {
    let scores = score(test, &constant(train, test.len(), None)).expect("a constant of the task's kind can be scored");
    let correlations: &[&str] = if matches!(train, Targets::Values(_)) { &UNDEFINED.0 } else { &[] };
    scores.into_iter().map(|(name, _)| name).chain(correlations.iter().copied()).collect()
}

/// A score as told while a run goes on.
pub fn shown(name: &str, score: f64) -> String {
    if metric(name).is_some_and(|metric| metric.needs_power(score)) {
        format!("{score:.3e}")
    } else {
        format!("{score:.4}")
    }
}

/// The same answer `count` times: `label` or else the most frequent class of `train`, or the mean of its values.
fn constant(train: &Targets, count: usize, label: Option<u16>) -> Predictions {
    match train {
        Targets::Classes { labels, names } => {
            let label = label.unwrap_or_else(|| classes::most_frequent(labels, names.len()));
            Predictions::Classes { labels: vec![label; count], probabilities: None }
        }
        Targets::Values(values) => {
            // A sum depends on its order, and the same rows come in another order for each seed.
            let mut values = values.clone();
            values.sort_unstable_by(f32::total_cmp);
            Predictions::Values(vec![values::mean(&values) as f32; count])
        }
    }
}

/// Refuses all but one prediction per example.
fn check_count(what: &'static str, expected: usize, found: usize) -> Result<(), ScoreError> {
    if expected == found { Ok(()) } else { Err(ScoreError::WrongCount { what, expected, found }) }
}
