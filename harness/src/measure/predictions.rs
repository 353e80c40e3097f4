//! Converts predictions to the rows that are stored.

use bakeoff_datasets::Targets;
use bakeoff_models::Predictions;
use bakeoff_reports::PredictionRow;

/// One row per example. `target` returns the right answer, or nothing if it is hidden.
pub(super) fn prediction_rows(
    predictions: &Predictions,
    classes: &[String],
    target: impl Fn(usize) -> String,
) -> Vec<PredictionRow> {
    let row = |example: usize, prediction: String, probabilities: Vec<f32>| PredictionRow {
        example,
        target: target(example),
        prediction,
        probabilities,
    };
    match predictions {
        Predictions::Classes { labels, probabilities } => labels
            .iter()
            .map(|&label| usize::from(label))
            .enumerate()
            .map(|(example, label)| {
                let probabilities = probabilities.as_ref().map_or_else(Vec::new, |matrix| matrix.row(example).to_vec());
                row(example, classes[label].clone(), probabilities)
            })
            .collect(),
        Predictions::Values(values) => values
            .iter()
            .enumerate()
            .map(|(example, value)| row(example, f64::from(*value).to_string(), Vec::new()))
            .collect(),
    }
}

/// The target of an example, in the form in which it is stored.
pub(super) fn written(targets: &Targets, example: usize) -> String {
    match targets {
        Targets::Classes { labels, names } => names[usize::from(labels[example])].clone(),
        Targets::Values(values) => f64::from(values[example]).to_string(),
    }
}
