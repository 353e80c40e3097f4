//! Metrics of class predictions.
//!
//! The macro average runs over the classes that occur among the targets or the predictions, and a ratio with nothing
//! below the line is 0: scikit-learn's `labels=None` and `zero_division=0`.

use bakeoff_models::Matrix;
use bakeoff_reports::{Tally, macro_mean, matthews};

use super::{ScoreError, check_count};

/// How far a row of single-precision probabilities may be from summing to one.
const SUM_TOLERANCE: f64 = 1e-3;

/// The metrics of `answers` against `targets`; all targets are below `classes`.
pub(super) fn score(
    targets: &[u16],
    classes: usize,
    answers: &[u16],
    probabilities: Option<&Matrix>,
) -> Result<Vec<(&'static str, f64)>, ScoreError> {
    let tallies = tally(targets, classes, answers)?;
    let hits: u32 = tallies.iter().map(|tally| tally.hits).sum();

    let mut scores = vec![
        ("accuracy", f64::from(hits) / targets.len() as f64),
        ("recall_macro", macro_mean(&tallies, Tally::recall)),
        ("precision_macro", macro_mean(&tallies, Tally::precision)),
        ("f1_macro", macro_mean(&tallies, Tally::f1)),
        ("matthews", matthews(&tallies)),
    ];
    if let [_, positive] = tallies[..] {
        scores.push(("recall_positive", positive.recall()));
        scores.push(("precision_positive", positive.precision()));
        scores.push(("f1_positive", positive.f1()));
    }
    if let Some(probabilities) = probabilities {
        scores.push(("brier", brier(targets, classes, probabilities)?));
    }
    Ok(scores)
}

/// The class that occurs most often among `labels`, of equals the first.
pub(super) fn most_frequent(labels: &[u16], classes: usize) -> u16 {
    let mut counts = vec![0_usize; classes];
    for &label in labels {
        counts[usize::from(label)] += 1;
    }
    // `max_by_key` would give the last of equals.
    (0..classes as u16).min_by_key(|&class| std::cmp::Reverse(counts[usize::from(class)])).unwrap_or(0)
}

/// Targets, predictions and hits per class.
fn tally(targets: &[u16], classes: usize, answers: &[u16]) -> Result<Vec<Tally>, ScoreError> {
    check_count("labels", targets.len(), answers.len())?;
    let mut tallies = vec![Tally::default(); classes];
    for (example, (&target, &label)) in targets.iter().zip(answers).enumerate() {
        let answered =
            tallies.get_mut(usize::from(label)).ok_or(ScoreError::NoSuchClass { example, label, classes })?;
        answered.predictions += 1;
        answered.hits += u32::from(label == target);
        tallies[usize::from(target)].targets += 1;
    }
    Ok(tallies)
}

/// Mean over examples of the squared distance between the probabilities and the indicator of the target (Brier 1950),
/// so 0 is perfect and 2 the worst.
fn brier(targets: &[u16], classes: usize, probabilities: &Matrix) -> Result<f64, ScoreError> {
    check_count("rows of probabilities", targets.len(), probabilities.rows)?;
    if probabilities.cols != classes {
        return Err(ScoreError::WrongColumns { expected: classes, found: probabilities.cols });
    }
    let mut total = 0.0;
    for (example, &target) in targets.iter().enumerate() {
        let row = probabilities.row(example);
        if let Some(&found) = row.iter().find(|p| !p.is_finite()) {
            return Err(ScoreError::NotFinite { example, what: "probability", found });
        }
        let sum: f64 = row.iter().map(|&p| f64::from(p)).sum();
        if row.iter().any(|p| !(0.0..=1.0).contains(p)) || (sum - 1.0).abs() > SUM_TOLERANCE {
            return Err(ScoreError::NotProbabilities { example, found: row.to_vec() });
        }
        let squared = |(class, &p): (usize, &f32)| {
            let indicator = f64::from(u8::from(class == usize::from(target)));
            (f64::from(p) - indicator).powi(2)
        };
        total += row.iter().enumerate().map(squared).sum::<f64>();
    }
    Ok(total / targets.len() as f64)
}
