//! What the learners of a student learn from the answers of its teacher, and what their numbers together say.

use bakeoff_datasets::Targets;

use crate::model::{Matrix, Predictions, TargetShape};

/// The least probability that a soft label has, so that its logarithm is a number.
pub(super) const LEAST_PROBABILITY: f64 = 1e-4;

/// How many learners a task needs.
pub(super) fn learners(target: TargetShape) -> usize {
    match target {
        TargetShape::Value | TargetShape::Classes(2) => 1,
        TargetShape::Classes(classes) => classes,
    }
}

/// The numbers that each learner learns, in the order of the rows: the log-odds of two classes, or the logarithms of the
/// probabilities of all classes less their mean, or the numbers that the teacher predicts. `truth` has the true targets and their share
/// in the probabilities or numbers; `None` for rows without targets. A teacher that gives no probabilities is sure of its labels.
///
/// # Errors
/// If an answer is not a finite number, or is of another kind than `target` or the true targets.
pub(super) fn soft_targets(
    answers: &Predictions,
    target: TargetShape,
    truth: Option<(&Targets, f64)>,
) -> Result<Vec<Vec<f32>>, String> {
    let other_kind = "it answers with classes where numbers are asked for, or the reverse";
    let mixed = |answer: f64, target: f64, share: f64| (1.0 - share) * answer + share * target;
    let columns = match (answers, target) {
        (Predictions::Values(answers), TargetShape::Value) => {
            let answers = answers.iter().copied();
            vec![match truth {
                None => answers.collect(),
                Some((Targets::Values(targets), share)) => {
                    let both = answers.zip(targets);
                    both.map(|(answer, &target)| mixed(f64::from(answer), f64::from(target), share) as f32).collect()
                }
                Some((Targets::Classes { .. }, _)) => return Err(other_kind.to_owned()),
            }]
        }
        (Predictions::Classes { labels: answers, probabilities }, TargetShape::Classes(classes)) => {
            let truth = match truth {
                None => None,
                Some((Targets::Classes { labels, .. }, share)) => Some((labels, share)),
                Some((Targets::Values(_), _)) => return Err(other_kind.to_owned()),
            };
            let mut columns = vec![Vec::with_capacity(answers.len()); learners(target)];
            for (row, &answer) in answers.iter().enumerate() {
                let log = |class: usize| {
                    let one_hot = |label: u16| f64::from(u8::from(usize::from(label) == class));
                    let answer =
                        probabilities.as_ref().map_or(one_hot(answer), |all: &Matrix| f64::from(all.row(row)[class]));
                    let learned = truth.map_or(answer, |(labels, share)| mixed(answer, one_hot(labels[row]), share));
                    learned.max(LEAST_PROBABILITY).ln()
                };
                match classes {
                    2 => columns[0].push((log(1) - log(0)) as f32),
                    _ => {
                        let logs: Vec<f64> = (0..classes).map(log).collect();
                        let mean = logs.iter().sum::<f64>() / classes as f64;
                        columns.iter_mut().zip(&logs).for_each(|(column, log)| column.push((log - mean) as f32));
                    }
                }
            }
            columns
        }
        _ => return Err(other_kind.to_owned()),
    };
    match columns.iter().flatten().all(|number| number.is_finite()) {
        true => Ok(columns),
        false => Err("an answer for a training row is not a finite number".to_owned()),
    }
}

/// The learners' numbers as the outputs of one network, `rows x classes`. The softmax of `0, z` has the log-odds `z`.
pub(super) fn outputs(columns: &[Vec<f32>], classes: usize) -> Vec<f32> {
    let rows = columns.first().map_or(0, Vec::len);
    let of_row = |row: usize| {
        let zero = (classes == 2).then_some(0.0);
        zero.into_iter().chain(columns.iter().map(move |column| column[row]))
    };
    (0..rows).flat_map(of_row).collect()
}
