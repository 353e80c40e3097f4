//! Metrics of predicted numbers.

use bakeoff_reports::{pearson, spearman};

use super::{ScoreError, check_count};

/// The metrics of `answers` against `targets`.
pub(super) fn score(targets: &[f32], answers: &[f32]) -> Result<Vec<(&'static str, f64)>, ScoreError> {
    check_count("values", targets.len(), answers.len())?;
    if let Some((example, &found)) = answers.iter().enumerate().find(|(_, answer)| !answer.is_finite()) {
        return Err(ScoreError::NotFinite { example, what: "prediction", found });
    }
    let count = targets.len() as f64;
    let errors = || targets.iter().zip(answers).map(|(&target, &answer)| f64::from(answer) - f64::from(target));
    let squared: f64 = errors().map(|error| error * error).sum();
    let absolute: f64 = errors().map(f64::abs).sum();
    let mut scores = vec![("mse", squared / count), ("mae", absolute / count)];
    if targets.len() > 1 {
        scores.push(("r2", r2(squared, targets)));
    }
    let pairs: Vec<(f64, f64)> =
        targets.iter().zip(answers).map(|(&target, &answer)| (f64::from(target), f64::from(answer))).collect();
    let correlations = [("pearson", pearson(&pairs)), ("spearman", spearman(&pairs))];
    scores.extend(correlations.into_iter().filter_map(|(name, value)| Some((name, value?))));
    Ok(scores)
}

/// The mean of `values`.
pub(super) fn mean(values: &[f32]) -> f64 {
    values.iter().map(|&value| f64::from(value)).sum::<f64>() / values.len() as f64
}

/// R² from the sum of squared errors. Where all targets are equal, nothing can be explained: 1 for a perfect answer,
/// else 0, as scikit-learn has it.
fn r2(squared: f64, targets: &[f32]) -> f64 {
    let mean = mean(targets);
    let total: f64 = targets.iter().map(|&target| (f64::from(target) - mean).powi(2)).sum();
    if total > 0.0 {
        1.0 - squared / total
    } else if squared > 0.0 {
        0.0
    } else {
        1.0
    }
}
