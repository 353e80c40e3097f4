//! A model that cannot be saved, loaded or served is one row with its reason, and the next case runs.

use bakeoff_reports::Record;

use crate::common::{Bench, endings, exits, records, stdout};

const SERVED: [(&str, &str); 11] = [
    ("serve", "load_s"),
    ("serve", "load_cold_s"),
    ("serve", "first_prediction_s"),
    ("serve", "peak_memory_bytes"),
    ("predict-batch", "throughput"),
    ("predict-batch", "energy_j"),
    ("predict-single", "latency_p50_s"),
    ("predict-single", "latency_p90_s"),
    ("predict-single", "latency_p95_s"),
    ("predict-single", "latency_p99_s"),
    ("predict-single", "energy_j"),
];

/// Runs `model` between two sound cases, and gives its rows and how it ended.
#[track_caller]
fn ending(settings: &str, model: &str, exit_code: i32) -> (Vec<Record>, String, String) {
    let bench = Bench::new();
    bench.suite(settings, &["number"], &["nearly", model, "constant"]);
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), exit_code);
    let endings = endings(&bench.path("out"));
    let statuses: Vec<&str> = endings.iter().map(|(_, status, _)| status.as_str()).collect();
    assert_eq!((statuses[0], statuses[2]), ("ok", "below-floor"), "the neighbours are not touched: {endings:?}");
    let (case, status, note) = endings[1].clone();
    let rows = records(&bench.path("out")).into_iter().filter(|row| row.case == case).collect();
    (rows, status, note)
}

#[track_caller]
fn fails(settings: &str, model: &str, status: &str, note_parts: &[&str]) {
    let (rows, found, note) = ending(settings, model, 3);
    assert_eq!(found, status, "{note}");
    assert!(note.starts_with("the saved model could not be served: "), "{note}");
    for part in note_parts {
        assert!(note.contains(part), "'{part}' is not in: {note}");
    }
    let value = |metric: &str| rows.iter().find(|row| row.metric == metric).and_then(|row| row.value);
    assert!(value("fit_s").is_some() && value("mse").is_some(), "what the fit gave stays");
    assert!(value("latency_p50_s").is_none(), "what was not measured is no number");
}

#[test]
fn a_model_that_cannot_be_saved_has_its_scores_and_empty_numbers_of_serving_with_the_reason() {
    let (rows, status, note) = ending("keep_models = true", "saves-nothing", 0);
    assert_eq!(status, "ok", "{note}");
    assert!(note.starts_with("the model was neither kept nor served: the model could not be saved: "), "{note}");
    assert!(rows.iter().any(|row| row.metric == "mse" && row.value.is_some()));
    for (phase, metric) in SERVED.into_iter().chain([("case", "model_bytes")]) {
        let of: Vec<&Record> = rows.iter().filter(|row| row.phase == phase && row.metric == metric).collect();
        assert_eq!(of.len(), 1, "{phase} {metric}");
        assert_eq!(of[0].value, None, "{phase} {metric}");
        assert!(of[0].note.contains("cannot be saved on purpose"), "{}", of[0].note);
    }
}

#[test]
fn a_model_that_cannot_be_written_to_the_disk_is_a_failed_row_with_its_scores_which_resume_measures_again() {
    let bench = Bench::new();
    bench.suite("", &["number"], &["full-disk"]);
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 3);
    let is_full = |(_, status, note): &(String, String, String)| {
        status == "failed"
            && note.starts_with("the saved model could not be served: ")
            && note.contains("No space left on device")
    };
    let found = endings(&bench.path("out"));
    assert!(is_full(&found[0]), "{found:?}");
    let rows = records(&bench.path("out"));
    let values = |metric: &str| -> Vec<Option<f64>> {
        rows.iter().filter(|row| row.metric == metric).map(|row| row.value).collect()
    };
    assert!(matches!(values("mse")[..], [Some(_)]), "the score stays");
    assert_eq!(values("latency_p50_s"), [None]);
    let resumed = bench.run(&["resume", "out"]);
    exits(&resumed, 3);
    assert!(!stdout(&resumed).contains("nothing to do"), "{}", stdout(&resumed));
    let found = endings(&bench.path("out"));
    assert!(found.len() == 1 && is_full(&found[0]), "{found:?}");
}

#[test]
fn a_case_that_was_served_has_the_numbers_that_one_which_was_not_lacks() {
    let (rows, ..) = ending("", "nearly\"\nlabel = \"other", 0);
    for (phase, metric) in SERVED {
        assert!(rows.iter().any(|row| (&*row.phase, &*row.metric) == (phase, metric)), "{phase} {metric}");
    }
}

#[test]
fn an_artefact_that_is_cut_short_is_a_failed_row_that_names_the_file() {
    fails("", "saves-half", "failed", &["it cannot be loaded: ", "fake.json", "EOF"]);
}

#[test]
fn an_artefact_of_another_version_is_a_failed_row_that_names_both() {
    fails("", "saves-older", "failed", &["it cannot be loaded: ", "it holds saves-older 0, expected saves-older"]);
}

#[test]
fn a_loaded_model_that_predicts_otherwise_is_a_failed_row_that_names_the_first_row() {
    let (_, status, note) = ending("", "forgets", 3);
    assert_eq!(status, "failed");
    let expected =
        "the loaded model predicts otherwise than the fitted one, first for test row 11: 143, and it was 142";
    assert!(note.contains(expected), "{note}");
}

#[test]
fn a_loaded_model_that_leaves_out_a_prediction_is_a_failed_row_with_both_numbers() {
    let (_, status, note) = ending("", "shortens", 3);
    assert_eq!(status, "failed");
    assert!(note.contains("the loaded model gives 29 predictions, the fitted one gave 30"), "{note}");
}

#[cfg(unix)]
#[test]
fn a_child_that_dies_while_it_serves_is_a_failed_row() {
    fails("", "served-dies", "failed", &["the case's process ended without a result", "signal 9"]);
}

#[test]
fn a_model_that_panics_while_it_is_served_is_a_failed_row_with_its_message() {
    fails("", "served-panics", "failed", &["this model panics on purpose when it is served"]);
}

#[test]
fn the_time_out_is_that_of_fit_and_serving_together() {
    fails("timeout_s = 3.0", "served-hangs", "timed-out", &["did not end within 3 s"]);
}

#[test]
fn the_memory_limit_holds_for_the_process_that_serves() {
    fails("memory_limit_gib = 0.25", "served-eats", "out-of-memory", &["over the limit of 0.25"]);
}
