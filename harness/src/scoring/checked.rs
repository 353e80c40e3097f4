//! Predictions that can be scored: one valid, finite prediction of the task's kind for each example.

use bakeoff_datasets::Targets;
use bakeoff_models::{Matrix, Predictions};
use bakeoff_reports::Answered;

use super::ScoreError;

/// How far the sum of a row of single-precision probabilities may be from one.
const SUM_TOLERANCE: f64 = 1e-3;

/// The checked data that an [`Answered`] borrows.
pub(super) enum Checked<'a> {
    Classes { pairs: Vec<(u16, u16)>, classes: usize, probabilities: Option<&'a [f32]> },
    Values(Vec<(f64, f64)>),
}

impl<'a> Checked<'a> {
    /// Checks the predictions and pairs them with the targets.
    pub(super) fn new(targets: &Targets, predictions: &'a Predictions) -> Result<Checked<'a>, ScoreError> {
        if targets.is_empty() {
            return Err(ScoreError::Empty);
        }
        match (targets, predictions) {
            (Targets::Classes { labels, names }, Predictions::Classes { labels: answers, probabilities }) => {
                check_labels(answers, labels.len(), names.len())?;
                if let Some(matrix) = probabilities {
                    check_probabilities(matrix, labels.len(), names.len())?;
                }
                Ok(Checked::Classes {
                    pairs: labels.iter().copied().zip(answers.iter().copied()).collect(),
                    classes: names.len(),
                    probabilities: probabilities.as_ref().map(|matrix| matrix.data.as_slice()),
                })
            }
            (Targets::Values(targets), Predictions::Values(answers)) => {
                check_values(answers, targets.len())?;
                let pair = |(&target, &answer): (&f32, &f32)| (f64::from(target), f64::from(answer));
                Ok(Checked::Values(targets.iter().zip(answers).map(pair).collect()))
            }
            (Targets::Classes { .. }, Predictions::Values(_)) => {
                Err(ScoreError::WrongKind { expected: "classes", found: "values" })
            }
            (Targets::Values(_), Predictions::Classes { .. }) => {
                Err(ScoreError::WrongKind { expected: "values", found: "classes" })
            }
        }
    }

    /// The targets and predictions in the form that metrics take.
    pub(super) fn answered(&self) -> Answered<'_> {
        match self {
            Checked::Classes { pairs, classes, probabilities } => {
                Answered::Classes { pairs, classes: *classes, probabilities: *probabilities }
            }
            Checked::Values(pairs) => Answered::Values(pairs),
        }
    }
}

fn check_count(what: &'static str, expected: usize, found: usize) -> Result<(), ScoreError> {
    if expected == found { Ok(()) } else { Err(ScoreError::WrongCount { what, expected, found }) }
}

fn check_labels(answers: &[u16], examples: usize, classes: usize) -> Result<(), ScoreError> {
    check_count("labels", examples, answers.len())?;
    match answers.iter().enumerate().find(|(_, label)| usize::from(**label) >= classes) {
        Some((example, &label)) => Err(ScoreError::NoSuchClass { example, label, classes }),
        None => Ok(()),
    }
}

fn check_values(answers: &[f32], examples: usize) -> Result<(), ScoreError> {
    check_count("values", examples, answers.len())?;
    match answers.iter().enumerate().find(|(_, answer)| !answer.is_finite()) {
        Some((example, &found)) => Err(ScoreError::NotFinite { example, what: "prediction", found }),
        None => Ok(()),
    }
}

fn check_probabilities(matrix: &Matrix, examples: usize, classes: usize) -> Result<(), ScoreError> {
    check_count("rows of probabilities", examples, matrix.rows)?;
    if matrix.cols != classes {
        return Err(ScoreError::WrongColumns { expected: classes, found: matrix.cols });
    }
    for example in 0..examples {
        let row = matrix.row(example);
        if let Some(&found) = row.iter().find(|p| !p.is_finite()) {
            return Err(ScoreError::NotFinite { example, what: "probability", found });
        }
        let sum: f64 = row.iter().map(|&p| f64::from(p)).sum();
        if row.iter().any(|p| !(0.0..=1.0).contains(p)) || (sum - 1.0).abs() > SUM_TOLERANCE {
            return Err(ScoreError::NotProbabilities { example, found: row.to_vec() });
        }
    }
    Ok(())
}
