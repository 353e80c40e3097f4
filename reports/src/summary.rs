//! `summary.csv`: one wide row per finished case, the file that a person opens first.

use csv::Writer;

use crate::answers::Answers;
use crate::grid::{Setting, Trial};
use crate::resampled;
use crate::results::Results;
use crate::statistics::{Interval, bootstrap_mean, wilson};

/// Column, phase and metric of every number that is copied as it is.
const NUMBERS: &[(&str, &str, &str)] = &[
    ("floor", "score", "floor"),
    ("examples", "score", "examples"),
    ("accuracy", "score", "accuracy"),
    ("accuracy_mismatched", "score", "accuracy_mismatched"),
    ("recall_macro", "score", "recall_macro"),
    ("precision_macro", "score", "precision_macro"),
    ("f1_macro", "score", "f1_macro"),
    ("recall_positive", "score", "recall_positive"),
    ("precision_positive", "score", "precision_positive"),
    ("f1_positive", "score", "f1_positive"),
    ("matthews", "score", "matthews"),
    ("brier", "score", "brier"),
    ("mse", "score", "mse"),
    ("mae", "score", "mae"),
    ("r2", "score", "r2"),
    ("pearson", "score", "pearson"),
    ("spearman", "score", "spearman"),
    ("train_truncated", "fit", "truncated_examples"),
    ("test_truncated", "score", "truncated_examples"),
    ("train_examples", "fit", "train_examples"),
    ("classes_without_rows", "fit", "classes_without_rows"),
    ("classes_with_one_row", "fit", "classes_with_one_row"),
    ("leaked_examples", "score", "leaked_examples"),
    ("leaked_other_target", "score", "leaked_other_target"),
    ("train_wordless", "fit", "wordless_examples"),
    ("test_wordless", "score", "wordless_examples"),
    ("fit_s", "fit", "fit_s"),
    ("latency_p50_s", "predict-single", "latency_p50_s"),
    ("latency_p90_s", "predict-single", "latency_p90_s"),
    ("latency_p95_s", "predict-single", "latency_p95_s"),
    ("latency_p99_s", "predict-single", "latency_p99_s"),
    ("throughput_per_s", "predict-batch", "throughput"),
    ("fit_energy_j", "fit", "energy_j"),
    ("batch_energy_j_per_prediction", "predict-batch", "energy_j"),
    ("single_energy_j_per_prediction", "predict-single", "energy_j"),
    ("idle_w", "fit", "idle_w"),
    ("peak_memory_bytes", "case", "peak_memory_bytes"),
    ("parameters", "case", "parameters"),
    ("model_bytes", "case", "model_bytes"),
    ("flops", "case", "flops"),
    ("wall_s", "case", "wall_s"),
];

/// The bytes of `summary.csv`. Cases are in the order of the report: by setting, model and seed.
pub(crate) fn summary(results: &Results) -> Vec<u8> {
    let mut writer = Writer::from_writer(Vec::new());
    let head = [
        "case",
        "task",
        "model",
        "train_size",
        "seed",
        "device",
        "status",
        "primary_metric",
        "primary",
        "primary_low",
        "primary_high",
    ];
    let numbers = NUMBERS.iter().map(|(column, _, _)| *column);
    let in_memory = "memory takes every write and all rows have the columns of the header";
    writer.write_record(head.into_iter().chain(numbers).chain(["energy_source", "note"])).expect(in_memory);
    for (setting, label, trial) in results.grid.trials() {
        let place = results.setting(setting);
        let interval = interval(place, trial, results.answers.get(&trial.case));
        let mut row = vec![
            trial.case.clone(),
            place.task.name.clone(),
            results.grid.labels[label].clone(),
            place.train_size.to_string(),
            trial.seed.to_string(),
            place.device.clone(),
            trial.status.to_string(),
            place.task.primary.clone(),
            text(trial.get("score", &place.task.primary).map(|value| value.value)),
            text(interval.map(|interval| interval.low)),
            text(interval.map(|interval| interval.high)),
        ];
        row.extend(NUMBERS.iter().map(|(_, phase, metric)| text(trial.get(phase, metric).map(|value| value.value))));
        let energy = trial.values.iter().find(|value| value.metric == "energy_j");
        row.push(energy.map_or(String::new(), |value| value.source.clone()));
        row.push(trial.note.clone());
        writer.write_record(&row).expect(in_memory);
    }
    writer.into_inner().expect(in_memory)
}

/// The shortest text that reads back as the same number; empty where there is none.
fn text(value: Option<f64>) -> String {
    value.map_or(String::new(), |value| value.to_string())
}

fn interval(place: &Setting, trial: &Trial, answers: Option<&Answers>) -> Option<Interval> {
    match place.task.primary.as_str() {
        "accuracy" => wilson(trial.get("score", "accuracy")?.value, trial.get("score", "examples")?.value),
        "mse" => trial.get("score", "mse").and(answers).and_then(|answers| bootstrap_mean(&answers.scores)),
        primary if resampled::applies(primary) => {
            trial.get("score", primary).and(answers).and_then(|answers| resampled::interval(primary, &[answers]))
        }
        _ => None,
    }
}
