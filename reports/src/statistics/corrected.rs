//! Scores of models that learned from rows of which most are the same.

use super::Inference;

/// The mean of scores each of which has its own division of the same rows into training and test rows; `None` for fewer than two
/// scores, and if they are all the same.
///
/// Two such models share most of their training rows, so their scores are no independent runs. The variance of the mean is
/// corrected for that: `(1 / n + ratio) s²` with `n - 1` degrees of freedom. `ratio` is that of test rows to training rows, which
/// is `1 / (folds - 1)` in a cross-validation (Nadeau and Bengio, *Inference for the Generalization Error*, Machine Learning 52,
/// 2003).
pub fn corrected(scores: &[f64], ratio: f64) -> Option<Inference> {
    let n = scores.len() as f64;
    if scores.len() < 2 || !ratio.is_finite() {
        return None;
    }
    let mean = scores.iter().sum::<f64>() / n;
    let variance = scores.iter().map(|score| (score - mean).powi(2)).sum::<f64>() / (n - 1.0);
    Inference::new(mean, ((1.0 / n + ratio) * variance).sqrt(), n - 1.0)
}
