//! The predictions of a case, reduced to what statistics and figures need.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use crate::error::ReportError;
use crate::record::PredictionRow;
use crate::run_info::TaskInfo;

/// How a model answered the test examples, in their order.
#[derive(Debug, Clone, PartialEq)]
pub struct Answers {
    /// Per example: 1 for the right class and 0 for a wrong one, or the squared error of a value. Their mean is the
    /// accuracy or the mean squared error.
    pub scores: Vec<f64>,
    /// Per example the target and the prediction: numbers of classes, or values.
    pub pairs: Vec<(f64, f64)>,
    /// Examples by class: `confusion[target][prediction]`; empty for a regression.
    pub confusion: Vec<Vec<u64>>,
    /// A digest of the targets: answers of two models are paired only if their targets are the same.
    pub targets: u64,
}

impl Answers {
    /// Reads the answers out of a predictions file.
    ///
    /// # Errors
    /// If an example is missing or out of order, a class is not one of the task's or a value is not a number.
    pub fn new(task: &TaskInfo, rows: &[PredictionRow], path: &Path) -> Result<Answers, ReportError> {
        let classes: HashMap<&str, usize> =
            task.classes.iter().enumerate().map(|(index, name)| (name.as_str(), index)).collect();
        let mut confusion = vec![vec![0; classes.len()]; classes.len()];
        let mut scores = Vec::with_capacity(rows.len());
        let mut pairs = Vec::with_capacity(rows.len());
        let mut targets = DefaultHasher::new();
        for (index, row) in rows.iter().enumerate() {
            let refuse = |message| ReportError::Row { path: path.to_owned(), line: index as u64 + 2, message };
            if row.example != index {
                return Err(refuse(format!(
                    "column example: '{}', expected {index}: one row per test example, in order",
                    row.example
                )));
            }
            if !row.probabilities.is_empty() && row.probabilities.len() != classes.len() {
                let (found, expected) = (row.probabilities.len(), classes.len());
                return Err(refuse(format!(
                    "column probabilities: {found} numbers, expected {expected}: one per class"
                )));
            }
            row.target.hash(&mut targets);
            if classes.is_empty() {
                let number = |column: &str, text: &str| {
                    text.parse::<f64>().map_err(|_| refuse(format!("column {column}: '{text}', expected a number")))
                };
                let (target, prediction) = (number("target", &row.target)?, number("prediction", &row.prediction)?);
                scores.push((prediction - target).powi(2));
                pairs.push((target, prediction));
            } else {
                let class = |column: &str, text: &str| {
                    classes.get(text).copied().ok_or_else(|| {
                        refuse(format!(
                            "column {column}: '{text}', expected a class of {}: {}",
                            task.name,
                            task.classes.join(", ")
                        ))
                    })
                };
                let (target, prediction) = (class("target", &row.target)?, class("prediction", &row.prediction)?);
                confusion[target][prediction] += 1;
                scores.push(f64::from(u8::from(target == prediction)));
                pairs.push((target as f64, prediction as f64));
            }
        }
        Ok(Answers { scores, pairs, confusion, targets: targets.finish() })
    }
}

/// The mean score of each example over several trials (seeds); `None` unless all have the same targets.
pub(crate) fn mean_scores(trials: &[&Answers]) -> Option<Vec<f64>> {
    let first = trials.first()?;
    if trials.iter().any(|trial| trial.targets != first.targets || trial.scores.len() != first.scores.len()) {
        return None;
    }
    let mean = |index: usize| trials.iter().map(|trial| trial.scores[index]).sum::<f64>() / trials.len() as f64;
    Some((0..first.scores.len()).map(mean).collect())
}
