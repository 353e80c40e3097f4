//! Predictions as they are stored.

use bakeoff_datasets::Targets;
use bakeoff_models::Predictions;
use bakeoff_reports::PredictionRow;

/// One row per example; `target` gives what is right, or nothing where that is hidden.
pub(super) fn prediction_rows(
    predictions: &Predictions,
    classes: &[String],
    target: impl Fn(usize) -> String,
) -> Vec<PredictionRow> {
    let row = |example: usize, prediction: String, probability: Option<f32>| PredictionRow {
        example,
        target: target(example),
        prediction,
        probability: probability.map(f64::from),
    };
    match predictions {
        Predictions::Classes { labels, probabilities } => labels
            .iter()
            .map(|&label| usize::from(label))
            .enumerate()
            .map(|(example, label)| {
                let probability = probabilities.as_ref().map(|matrix| matrix.row(example)[label]);
                row(example, classes[label].clone(), probability)
            })
            .collect(),
        Predictions::Values(values) => values
            .iter()
            .enumerate()
            .map(|(example, value)| row(example, f64::from(*value).to_string(), None))
            .collect(),
    }
}

/// The target of an example as it is written.
pub(super) fn written(targets: &Targets, example: usize) -> String {
    match targets {
        Targets::Classes { labels, names } => names[usize::from(labels[example])].clone(),
        Targets::Values(values) => f64::from(values[example]).to_string(),
    }
}
