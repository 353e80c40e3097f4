//! The predictions of a case, reduced to what statistics and figures need.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use crate::error::ReportError;
use crate::format::count;
use crate::record::PredictionRow;
use crate::run_info::TaskInfo;
use crate::scores::Answered;

/// How a model answered the test examples, in their order.
#[derive(Debug, Clone, PartialEq)]
pub struct Answers {
    given: Given,
    /// Examples by class: `confusion[target][prediction]`; empty for a regression.
    pub confusion: Vec<Vec<u64>>,
    /// A digest of the targets. The answers of two models are only paired if their targets are the same.
    pub targets: u64,
}

/// The data that an [`Answered`] borrows.
#[derive(Debug, Clone, PartialEq)]
enum Given {
    Classes { pairs: Vec<(u16, u16)>, classes: usize, probabilities: Option<Vec<f32>> },
    Values(Vec<(f64, f64)>),
}

impl Answers {
    /// Reads the answers from the rows of a predictions file.
    ///
    /// # Errors
    /// If an example is missing or out of order, if a class is not one of the task's, or if a value is not a number.
    pub fn new(task: &TaskInfo, rows: &[PredictionRow], path: &Path) -> Result<Answers, ReportError> {
        let refuse =
            |index: usize, message| ReportError::Row { path: path.to_owned(), line: index as u64 + 2, message };
        let classes = task.classes.len();
        let mut targets = DefaultHasher::new();
        for (index, row) in rows.iter().enumerate() {
            if row.example != index {
                let message =
                    format!("column example: '{}', expected {index}: one row per test example, in order", row.example);
                return Err(refuse(index, message));
            }
            if !row.probabilities.is_empty() && row.probabilities.len() != classes {
                let message = format!(
                    "column probabilities: {}, expected {classes}: one per class",
                    count(row.probabilities.len(), "number")
                );
                return Err(refuse(index, message));
            }
            row.target.hash(&mut targets);
        }
        let mut confusion = vec![vec![0; classes]; classes];
        let given = if classes == 0 {
            let pairs = rows.iter().enumerate().map(|(index, row)| value_pair(row).map_err(|m| refuse(index, m)));
            Given::Values(pairs.collect::<Result<_, _>>()?)
        } else {
            let numbers: HashMap<&str, u16> = task.classes.iter().map(String::as_str).zip(0..).collect();
            let pair = |(index, row)| class_pair(task, &numbers, row).map_err(|message| refuse(index, message));
            let pairs = rows.iter().enumerate().map(pair).collect::<Result<Vec<_>, _>>()?;
            for (target, prediction) in &pairs {
                confusion[usize::from(*target)][usize::from(*prediction)] += 1;
            }
            // A score of probabilities needs the probabilities of every example.
            let whole = rows.iter().all(|row| !row.probabilities.is_empty());
            let probabilities = whole.then(|| rows.iter().flat_map(|row| row.probabilities.iter().copied()).collect());
            Given::Classes { pairs, classes, probabilities }
        };
        Ok(Answers { given, confusion, targets: targets.finish() })
    }

    /// The targets and predictions in the form that scores take.
    pub fn answered(&self) -> Answered<'_> {
        match &self.given {
            Given::Classes { pairs, classes, probabilities } => {
                Answered::Classes { pairs, classes: *classes, probabilities: probabilities.as_deref() }
            }
            Given::Values(pairs) => Answered::Values(pairs),
        }
    }

    /// How many examples were answered.
    pub fn len(&self) -> usize {
        self.answered().len()
    }

    /// Whether there is no example.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The target and the prediction as numbers.
fn value_pair(row: &PredictionRow) -> Result<(f64, f64), String> {
    let number = |column: &str, text: &str| {
        let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
        number.ok_or_else(|| format!("column {column}: '{text}', expected a finite number"))
    };
    Ok((number("target", &row.target)?, number("prediction", &row.prediction)?))
}

/// The target and the prediction as indices of classes.
fn class_pair(task: &TaskInfo, numbers: &HashMap<&str, u16>, row: &PredictionRow) -> Result<(u16, u16), String> {
    let class = |column: &str, text: &str| {
        numbers.get(text).copied().ok_or_else(|| {
            format!("column {column}: '{text}', expected a class of {}: {}", task.name, task.classes.join(", "))
        })
    };
    Ok((class("target", &row.target)?, class("prediction", &row.prediction)?))
}
